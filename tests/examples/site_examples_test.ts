// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
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
