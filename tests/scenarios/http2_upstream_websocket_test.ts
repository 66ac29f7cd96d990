/**
 * WebSockets to upstreams that speak HTTP/2: over a stream where their settings announce it (RFC 8441), else over HTTP/1.1.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { WebSocket as WsClient } from "npm:ws@8.23.0";
import { frameBytes, SocketUpstream } from "../support/frame_peer.ts";
import { block, frame } from "../support/http2_frames.ts";
import { type Http2Peer, type Http2Script, Http2Upstream } from "../support/http2_upstream.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";

const ENABLE_CONNECT_PROTOCOL: [number, number] = [8, 1];
const TUNNELS = { settings: [ENABLE_CONNECT_PROTOCOL] };

function proxyTo(url: string): Promise<LoggedProxy> {
  const proxy = { websocket: { drain: 0 }, routes: [{ path: "/", upstream: "app", websocket: true }] };
  return LoggedProxy.start({ upstreams: [url], proxy });
}

/** A client whose handshake is under way. */
function open(proxy: LoggedProxy, path: string, protocols: string[] = []): WsClient {
  return new WsClient(`ws://127.0.0.1:${proxy.port}${path}`, protocols);
}

async function statusOf(client: WsClient): Promise<number> {
  const [, response] = await once(client, "unexpected-response") as [unknown, { statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

/** Responds to requests in turn, each in its own way. */
function inTurn(...scripts: ((peer: Http2Peer, streamId: number) => Promise<unknown>)[]): Http2Script {
  return async (peer) => {
    for (const script of scripts) {
      const request = await peer.request();
      if (request === undefined) return;
      await script(peer, request.streamId);
    }
  };
}

Deno.test("a WebSocket is a stream of the connection that other exchanges use, with an extended CONNECT", async () => {
  let asked: Readonly<Record<string, string>> = {};
  await using upstream = Http2Upstream.start(async (peer) => {
    const plain = await peer.request();
    assert(plain !== undefined);
    await peer.respond(plain.streamId, [":status", "200"], "plain");
    const request = await peer.request();
    assert(request !== undefined);
    asked = request.fields;
    const { streamId } = request;
    await peer.respond(streamId, [":status", "200", "sec-websocket-protocol", "chat"]);
    await peer.until((frames) => frames.ended(streamId));
  }, TUNNELS);
  await using proxy = await proxyTo(upstream.url);
  assertEquals(await (await fetch(`http://127.0.0.1:${proxy.port}/plain`)).text(), "plain");
  const client = open(proxy, "/ws?a=b", ["chat"]);
  // The head ends the stream, so that the tunnel is over at once.
  const [code] = await once(client, "close");
  assertEquals([client.protocol, code], ["chat", 1014]);
  const { ":method": method, ":protocol": protocol, ":path": path, ":scheme": scheme } = asked;
  assertEquals([method, protocol, path, scheme], ["CONNECT", "websocket", "/ws?a=b", "http"]);
  assertEquals([asked["sec-websocket-version"], asked["sec-websocket-protocol"]], ["13", "chat"]);
  for (const name of ["upgrade", "connection", "sec-websocket-key", "host"]) assertEquals(asked[name], undefined, name);
  assertEquals(upstream.peers.length, 1);
});

Deno.test("messages of all sizes pass in both directions through two proxies with a stream between them", async () => {
  await using echo = SocketUpstream.echoing();
  await using inner = await proxyTo(echo.url);
  await using outer = await proxyTo(`h2c://127.0.0.1:${inner.port}`);
  const clients = [1, 2, 3].map((number) => open(outer, `/${number}`));
  await Promise.all(clients.map((client) => once(client, "open")));
  for (const bytes of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
    const text = "x".repeat(bytes);
    const echoed = Promise.all(clients.map((client) => once(client, "message")));
    for (const client of clients) client.send(text);
    for (const [message] of await echoed) assertEquals(String(message), text);
  }
  for (const [i, client] of clients.entries()) {
    client.close(4000 + i, "bye");
    const [code] = await once(client, "close");
    assertEquals(code, 4000 + i);
  }
  for (const proxy of [inner, outer]) {
    const { status, close_code: code } = await proxy.accessLine("/2");
    assertEquals([status, code], [101, 4001]);
  }
  assertEquals((await inner.accessLine("/2")).protocol, "HTTP/2.0");
});

Deno.test("a stream that is refused, reset or without end ends as a handshake of HTTP/1.1 does", async () => {
  await using upstream = Http2Upstream.start(
    inTurn(
      (peer, streamId) => peer.respond(streamId, [":status", "403"], "no"),
      (peer, streamId) => peer.reset(streamId, 8),
      async (peer, streamId) => {
        await peer.send(frame(1, 0x4, streamId, block([":status", "200"])));
        await peer.send(frame(0, 0, streamId, frameBytes(1, "first")));
        await peer.until(({ all }) => all.some((one) => one.streamId === streamId && one.type === 0));
        await peer.reset(streamId, 2);
      },
      async (peer, streamId) => {
        await peer.send(frame(1, 0x4, streamId, block([":status", "200"])));
        await peer.until((frames) => frames.ended(streamId));
        await peer.send(frame(0, 0x1, streamId));
      },
    ),
    TUNNELS,
  );
  await using proxy = await proxyTo(upstream.url);
  assertEquals(await statusOf(open(proxy, "/refused")), 403);
  assertEquals(await statusOf(open(proxy, "/reset")), 502);
  const broken = open(proxy, "/broken");
  const [message] = await once(broken, "message");
  assertEquals(String(message), "first");
  broken.send("second");
  const [code] = await once(broken, "close");
  assertMatch(String(code), /^10(06|11|14)$/);
  const leaving = open(proxy, "/leaving");
  await once(leaving, "open");
  leaving.terminate();
  await proxy.accessLine("/leaving");
  assertEquals(upstream.peers.length, 1);
});

Deno.test("an upstream that announces no WebSockets over HTTP/2, and speaks no HTTP/1.1, is a 502", async () => {
  await using upstream = Http2Upstream.answering(() => "h2");
  await using proxy = await proxyTo(upstream.url);
  assertEquals(await statusOf(open(proxy, "/ws")), 502);
  assertStringIncludes(String((await proxy.accessLine("/ws")).cause), "HTTP/1.1");
  assertEquals(await (await fetch(`http://127.0.0.1:${proxy.port}/`)).text(), "h2");
});
