// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { passwordThread } from "../../lib/features/basic_auth/password_thread.ts";
import { loadConfig } from "../../lib/generation/config/load_config.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

async function withExample(name: string, upstream: string, work: (url: string) => Promise<void>): Promise<void> {
  const { config } = await loadConfig(new URL(name, EXAMPLES).pathname);
  const server: RunningServer = await startServer({
    ...config,
    sites: config.sites.map((site) => ({
      ...site,
      port: 0,
      proxy: site.proxy &&
        { ...site.proxy, upstreams: site.proxy.upstreams.map((given) => ({ ...given, url: upstream })) },
    })),
  });
  try {
    await work(`http://127.0.0.1:${server.addresses[0].port}`);
  } finally {
    await server.stop();
  }
}

async function withUpstream(work: (url: string) => Promise<void>): Promise<void> {
  const upstream = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => new Response(`upstream ${new URL(request.url).pathname}`),
  );
  try {
    await work(`http://127.0.0.1:${upstream.addr.port}`);
  } finally {
    await upstream.shutdown();
  }
}

async function textOf(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

Deno.test("examples/minimal.toml proxies everything", async () => {
  await withUpstream((upstream) =>
    withExample("minimal.toml", upstream, async (url) => {
      assertEquals(await textOf(`${url}/a/b`), "upstream /a/b");
    })
  );
});

Deno.test("examples/load_balanced.toml proxies everything", async () => {
  await withUpstream((upstream) =>
    withExample("load_balanced.toml", upstream, async (url) => {
      assertEquals(await textOf(`${url}/a`), "upstream /a");
    })
  );
});

Deno.test("examples/static_and_proxy.toml serves files, proxies /api/ without its prefix, and has its own 404", async () => {
  await withUpstream((upstream) =>
    withExample("static_and_proxy.toml", upstream, async (url) => {
      assertStringIncludes(await textOf(`${url}/`), "It works");
      assertEquals(await textOf(`${url}/api/users`), "upstream /users");
      const missing = await fetch(`${url}/missing`);
      assertEquals(missing.status, 404);
      assertStringIncludes(await missing.text(), "There is no such page");
    })
  );
});

Deno.test("examples/spa.toml sends the page for every path", async () => {
  await withExample("spa.toml", "", async (url) => {
    const response = await fetch(`${url}/users/7`);
    assertEquals([response.status, response.headers.get("cache-control")], [200, "no-cache"]);
    assertStringIncludes(await response.text(), "A single page");
  });
});

Deno.test("examples/site_features.toml redirects, rewrites, responds itself and proxies the rest", async () => {
  await withUpstream((upstream) =>
    withExample("site_features.toml", upstream, async (url) => {
      const moved = await fetch(`${url}/blog/2026/a`, { redirect: "manual" });
      await moved.body?.cancel();
      assertEquals([moved.status, moved.headers.get("location")], [301, "/archive/a?year=2026"]);
      assertEquals(await textOf(`${url}/v1/cart`), "upstream /shop/cart");
      assertStringIncludes(await textOf(`${url}/robots.txt`), "Disallow: /cart/");
      const page = await fetch(`${url}/x`, { headers: { origin: "https://app.example.com" } });
      const names = ["access-control-allow-origin", "x-content-type-options"];
      assertEquals(await page.text(), "upstream /x");
      assertEquals(names.map((name) => page.headers.get(name)), ["https://app.example.com", "nosniff"]);
    })
  );
});

Deno.test("examples/protected.toml asks for a password, and lets some addresses in", async () => {
  await withUpstream((upstream) =>
    withExample("protected.toml", upstream, async (url) => {
      const statusOf = async (path: string, headers: Record<string, string> = {}) => {
        const response = await fetch(url + path, { headers });
        await response.body?.cancel();
        return response.status;
      };
      assertEquals(await statusOf("/reports/"), 401);
      assertEquals(await statusOf("/reports/", { authorization: `Basic ${btoa("ann:registry")}` }), 200);
      assertEquals(await statusOf("/metrics"), 200);
    })
  );
  passwordThread.stop();
});
