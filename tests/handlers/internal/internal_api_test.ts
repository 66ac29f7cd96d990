// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { resolveConfig } from "../../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../../lib/generation/config/config_types.ts";
import { createHandler } from "../../../lib/process/create_handler.ts";
import { startServer } from "../../../lib/process/server.ts";

const PROXY = {
  upstreams: [{ name: "app", url: "http://127.0.0.1:1" }],
  routes: [{ path: "/app", upstream: "app" }],
};

function twoSites(port: number): ConfigInput {
  return {
    server: { shutdown_timeout: "300ms" },
    sites: [
      { name: "one", hostname: "one.example", listen: "127.0.0.1", port, proxy: PROXY },
      { name: "secret", hostname: "secret.example", listen: "127.0.0.1", port: 0, proxy: PROXY },
    ],
  };
}

/** Names of the sites that `/api/sites` lists for a request with these lines. */
async function listed(port: number, lines: readonly string[]): Promise<string[]> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(new TextEncoder().encode(`GET /api/sites HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`));
  let text = "";
  for (const buffer = new Uint8Array(4096); !text.endsWith("}\n");) {
    const count = await socket.read(buffer);
    if (count === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  const { sites, total } = JSON.parse(text.slice(text.indexOf("\r\n\r\n")));
  assertEquals(total, sites.length);
  return sites.map(({ name }: { name: string }) => name);
}

Deno.test("/api/sites lists its own site alone, whoever asks, from this machine or through a proxy on it", async () => {
  const server = await startServer(resolveConfig(twoSites(0)).config);
  try {
    const { port } = server.addresses[0];
    const local = [`Host: localhost:${port}`, "User-Agent: curl/8", "Accept: */*"];
    for (
      const lines of [
        local,
        // nginx with `proxy_set_header Connection ""`, or HAProxy without forwardfor
        [`Host: localhost`, "User-Agent: curl/8", "Accept: */*"],
        [`Host: 127.0.0.1:${port}`, "Connection: keep-alive"],
        ["Host: one.example"],
        [...local, "X-Forwarded-For: 203.0.113.1"],
        [...local, "Forwarded: for=203.0.113.1"],
        [...local, "Via: 1.1 proxy"],
        [...local, "X-Real-IP: 203.0.113.1"],
        [...local, "CF-Connecting-IP: 203.0.113.1"],
        [...local, "Connection: close"],
        [...local, "X-Anything: at all"],
      ]
    ) assertEquals(await listed(port, lines), ["one"], lines.join());
  } finally {
    await server.stop();
  }
});

Deno.test("/api/sites inside another program lists its own site alone, whoever asks", async () => {
  const handler = createHandler(twoSites(8080));
  try {
    const request = new Request("http://localhost:8080/api/sites");
    const response = await handler(request, { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 } });
    const { sites } = await response.json();
    assertEquals(sites.map(({ name }: { name: string }) => name), ["one"]);
  } finally {
    await handler.close();
  }
});

Deno.test("/api/config shows its own site only, without addresses of upstreams", async () => {
  const handler = createHandler(twoSites(8080));
  try {
    const text = await (await handler(new Request("http://one.example:8080/api/config"))).text();
    assertEquals(["secret", "127.0.0.1"].filter((word) => text.includes(word)), []);
    assertEquals(JSON.parse(text).site.name, "one");
  } finally {
    await handler.close();
  }
});
