// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import http2 from "node:http2";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { WebSocket as WsClient, WebSocketServer } from "npm:ws@8.23.0";
import { Certificates } from "../support/certificates.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";

/** An upstream over TLS that responds with the version of HTTP that it was asked in. */
async function startUpstream(
  certificates: Certificates,
  http2Too: boolean,
): Promise<AsyncDisposable & { url: string }> {
  const options = { cert: certificates.cert, key: certificates.key };
  const respond = (
    request: { httpVersion: string; method?: string },
    response: { end(text: string): unknown },
  ) => void response.end(`${request.httpVersion} ${request.method}`);
  // deno-lint-ignore no-explicit-any -- the types of both servers' requests differ
  const listener = respond as any;
  const server = http2Too
    ? http2.createSecureServer({ ...options, allowHTTP1: true }, listener) as unknown as Server
    : createServer(options, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

Deno.test("ALPN: an upstream over TLS is spoken to in the version that its entry allows and that it chooses", async () => {
  await using certificates = await Certificates.make("IP:127.0.0.1");
  const tls = { ca_file: certificates.caFile };
  const expected: [http2Too: boolean, protocol: "http/1.1" | "h2" | "auto" | undefined, text: string][] = [
    [true, undefined, "1.1 GET"],
    [true, "http/1.1", "1.1 GET"],
    [true, "auto", "2.0 GET"],
    [true, "h2", "2.0 GET"],
    [false, "auto", "1.1 GET"],
  ];
  for (const [http2Too, protocol, text] of expected) {
    for (const insecure of [false, true]) {
      await using upstream = await startUpstream(certificates, http2Too);
      await using proxy = await LoggedProxy.start({
        upstreams: [{
          url: upstream.url,
          protocol,
          tls: insecure ? { insecure_skip_verify: true } : tls,
        }],
      });
      for (let i = 0; i < 3; i++) {
        const response = await fetch(`http://127.0.0.1:${proxy.port}/`);
        assertEquals([response.status, await response.text()], [200, text], `${http2Too} ${protocol} ${insecure}`);
      }
    }
  }
});

Deno.test("ALPN: an upstream that must speak HTTP/2 and does not is a 502 that says so", async () => {
  await using certificates = await Certificates.make("IP:127.0.0.1");
  await using upstream = await startUpstream(certificates, false);
  await using proxy = await LoggedProxy.start({
    upstreams: [{ url: upstream.url, protocol: "h2", tls: { ca_file: certificates.caFile } }],
  });
  const response = await fetch(`http://127.0.0.1:${proxy.port}/x`);
  await response.body?.cancel();
  assertEquals(response.status, 502);
  assertStringIncludes(String((await proxy.accessLine("/x")).cause), "Cannot connect");
});

Deno.test("a WebSocket to an upstream that prefers HTTP/2 has a connection of HTTP/1.1", async () => {
  await using certificates = await Certificates.make("IP:127.0.0.1");
  const server = http2.createSecureServer({ cert: certificates.cert, key: certificates.key, allowHTTP1: true });
  const sockets = new WebSocketServer({ noServer: true });
  // deno-lint-ignore no-explicit-any -- the types do not know that this server upgrades connections of HTTP/1.1
  (server as any).on("upgrade", (request: any, socket: any, head: any) => {
    sockets.handleUpgrade(request, socket, head, (opened: WsClient) => {
      opened.on("message", (text: unknown) => opened.send(`${text}`));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  {
    await using proxy = await LoggedProxy.start({
      upstreams: [{ url, protocol: "auto", tls: { ca_file: certificates.caFile } }],
      proxy: { routes: [{ path: "/", upstream: "app", websocket: true }] },
    });
    const client = new WsClient(`ws://127.0.0.1:${proxy.port}/`);
    await once(client, "open");
    client.send("hello");
    const [echoed] = await once(client, "message");
    assertEquals(String(echoed), "hello");
    client.close();
    await once(client, "close");
  }
  server.close();
  await once(server, "close");
});
