// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { BwsProcess } from "../cli/bws_process.ts";

interface Upstream {
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

function startUpstream(name: string): Upstream {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    return new Response(`${name} ${pathname} for ${request.headers.get("x-forwarded-for")}`);
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function start(name: string, env: Record<string, string>): Promise<{ example: BwsProcess; url: string }> {
  const module = new URL(`../../examples/${name}`, import.meta.url).href;
  const example = new BwsProcess([], { module, env: { PORT: "0", ...env } });
  const [, port] = await example.until(/Listening on http:\/\/\S+?:(\d+)\//, "stderr");
  return { example, url: `http://127.0.0.1:${port}` };
}

async function textOf(url: string, headers: Record<string, string> = {}): Promise<string> {
  return await (await fetch(url, { headers })).text();
}

Deno.test("examples/embed_serve.ts proxies to its upstream and knows the client", async () => {
  await using upstream = startUpstream("app");
  const { example, url } = await start("embed_serve.ts", { UPSTREAM: upstream.url });
  await using _ = example;
  assertEquals(await textOf(`${url}/a?b`), "app /a for 127.0.0.1");
});

Deno.test("examples/embed_hono.ts leaves / to Hono and proxies /api/ without its prefix", async () => {
  await using upstream = startUpstream("api");
  const { example, url } = await start("embed_hono.ts", { UPSTREAM: upstream.url });
  await using _ = example;
  assertEquals(await textOf(`${url}/`), "Hono says hello");
  assertEquals(await textOf(`${url}/api/users`), "api /users for 127.0.0.1");
});

Deno.test("examples/deploy.ts takes its config from BWS_TOML", async () => {
  await using upstream = startUpstream("origin");
  const text = `
[[sites]]
[[sites.proxy.upstreams]]
name = "origin"
url = "${upstream.url}"
[[sites.proxy.routes]]
path = "/"
upstream = "origin"
`;
  const { example, url } = await start("deploy.ts", { BWS_TOML: text });
  await using _ = example;
  assertEquals(await textOf(`${url}/a`), "origin /a for 127.0.0.1");
});

Deno.test("examples/deploy.ts runs with its own config, too", async () => {
  const { example, url } = await start("deploy.ts", {});
  await using _ = example;
  const response = await fetch(`${url}/api/health/live`);
  assertEquals((await response.json()).status, "alive");
  assertEquals(response.headers.get("strict-transport-security"), "max-age=31536000");
});

Deno.test("examples/custom_policy.ts keeps each tenant on one upstream, uses both, and sends the time", async () => {
  await using first = startUpstream("first");
  await using second = startUpstream("second");
  const { example, url } = await start("custom_policy.ts", { UPSTREAMS: `${first.url},${second.url}` });
  await using _ = example;
  const upstreams = new Map<string, string>();
  for (let round = 0; round < 3; round++) {
    for (let tenant = 0; tenant < 10; tenant++) {
      const [upstream] = (await textOf(url, { "x-tenant": `tenant-${tenant}` })).split(" ");
      const earlier = upstreams.get(`tenant-${tenant}`) ?? upstream;
      assertEquals(upstream, earlier);
      upstreams.set(`tenant-${tenant}`, upstream);
    }
  }
  assertEquals(new Set(upstreams.values()), new Set(["first", "second"]));
  const response = await fetch(url);
  await response.body?.cancel();
  assertMatch(response.headers.get("server-timing") ?? "", /^total;dur=[\d.]+$/);
});
