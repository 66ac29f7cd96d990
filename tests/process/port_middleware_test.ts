// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { startServer } from "../../lib/process/server.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { statusOf } from "../support/message_reader.ts";
import { RawClient } from "../support/raw_client.ts";

/** A proxy with the middleware of a module that has `source`. */
async function serving(kind: "own" | "runtime", source: string, upstream: (request: Request) => Response) {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/middleware.ts`, source);
  const app = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, upstream);
  const { config } = resolveConfig({
    server: { listener: kind, middleware: "middleware.ts" },
    sites: [{
      listen: "127.0.0.1",
      port: 0,
      proxy: {
        upstreams: [{ name: "app", url: `http://127.0.0.1:${app.addr.port}` }],
        routes: [{ path: "/", upstream: "app" }],
      },
    }],
  }, { baseDir: folder });
  const server = await startServer(config);
  return {
    port: server.addresses[0].port,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await app.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const SEEN = `export default async (request, next, info) => {
  const response = await next(request.headers.has("x-copy") ? new Request(request, { headers: { "x-copy": "1" } }) : request);
  response.headers.set("x-seen", request.method + " " + request.url + " " + info.remoteAddr.hostname);
  return response;
};`;

for (const kind of ["own", "runtime"] as const) {
  Deno.test(`Middleware sees the target as the client sent it, and so does the upstream, listener ${kind}`, async () => {
    await using served = await serving(
      kind,
      SEEN,
      (request) => new Response(request.url.replace(/^http:\/\/[^/]*/, "")),
    );
    for (const more of ["", "x-copy: 1\r\n"]) {
      using client = await RawClient.connect(served.port);
      await client.send(`get /a/%2e%2e/b?q=%3c HTTP/1.1\r\nhost: a.test:81\r\nconnection: close\r\n${more}\r\n`);
      const answer = await client.answer();
      assertEquals(statusOf(answer), 200);
      assertEquals(new TextDecoder().decode(answer.body), "/a/%2e%2e/b?q=%3c");
      assertStringIncludes(answer.head.toLowerCase(), "x-seen: get http://a.test:81/a/%2e%2e/b?q=%3c 127.0.0.1");
    }
  });

  Deno.test(`Middleware passes a body on, and may read it, listener ${kind}`, async () => {
    const source = `export default async (request, next) => {
      if (request.url.endsWith("/read")) return new Response("read " + (await request.text()).length);
      return await next(request);
    };`;
    await using served = await serving(kind, source, (request) => new Response(request.body));
    const body = "x".repeat(300_000);
    for (const [path, expected] of [["/read", "read 300000"], ["/echo", body]]) {
      const response = await fetch(`http://127.0.0.1:${served.port}${path}`, { method: "POST", body });
      assertEquals(await response.text() === expected, true);
    }
  });
}
