/**
 * WebSockets over HTTP/2 (RFC 8441): extended CONNECT to the client, HTTP/1.1 to the upstream.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { until } from "../../support/condition.ts";
import { acceptance, frameBytes, SocketUpstream } from "../../support/frame_peer.ts";
import { Http2Client, valueOf } from "../../support/http2_client.ts";
import { bytesOf, frame, GET } from "../../support/http2_frames.ts";
import { LoggedProxy } from "../../support/logged_proxy.ts";
import { header } from "../../support/message_reader.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";

const CONNECT = [
  ...[":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/ws?a=b", ":authority", "localhost"],
  ...["sec-websocket-version", "13", "origin", "http://localhost"],
];

function proxyTo(url: string, websocket = true): Promise<LoggedProxy> {
  const proxy = { websocket: { drain: 0 }, routes: [{ path: "/", upstream: "app", websocket }] };
  return LoggedProxy.start({ upstreams: [url], proxy, server: { listener: "own" } });
}

/** The payload of the only frame that `bytes` are, of up to 125 bytes. */
function messageOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(2, 2 + bytes[1]));
}

Deno.test("a WebSocket over HTTP/2 passes both ways, beside other streams, and closes with its Close frames", async () => {
  await using upstream = SocketUpstream.echoing();
  await using proxy = await proxyTo(upstream.url);
  await using client = await Http2Client.begun(proxy.port);
  const announced = await client.frame("SETTINGS", ({ type, flags }) => type === 4 && flags === 0);
  assertMatch([...announced.payload].join(), /0,8,0,0,0,1/);
  await client.fields(1, [...CONNECT, "sec-websocket-protocol", "chat"], false);
  await until("the response is there", () => client.received.blocksOf(1).length > 0);
  const [fields] = client.received.blocksOf(1);
  assertEquals(fields.slice(0, 2), [":status", "200"]);
  assertEquals([valueOf(fields, "sec-websocket-accept"), valueOf(fields, "upgrade")], [undefined, undefined]);
  const [asked] = upstream.heads;
  assertEquals(asked.firstLine, "GET /ws?a=b HTTP/1.1");
  assertEquals([header(asked, "upgrade"), header(asked, "sec-websocket-protocol")], ["websocket", "chat"]);
  await client.data(1, frameBytes(1, "hello", { masked: true }));
  await until("the message comes back", () => client.received.dataOf(1).length === 7);
  assertEquals(messageOf(client.received.dataOf(1)), "hello");
  await client.data(1, frameBytes(8, bytesOf([3, 232]), { masked: true }));
  await client.response(1);
  assertEquals(client.received.ended(1), true);
  assertEquals([...client.received.dataOf(1).slice(7)], [0x88, 2, 3, 232]);
  await client.data(1, new Uint8Array(0), true);
  const line = await proxy.accessLine("/ws?a=b");
  assertEquals([line.status, line.protocol, line.close_code, line.bytes], [101, "HTTP/2.0", 1000, 5]);
});

Deno.test("large messages pass within the windows, and what came before the upstream accepted is not lost", async () => {
  const accept = Promise.withResolvers<void>();
  await using upstream = SocketUpstream.start(async (peer) => {
    for (let message = await peer.data(); message !== undefined; message = await peer.data()) {
      await peer.send(message.opcode, message.payload, { fin: message.fin });
      if (message.opcode === 8) return;
    }
  }, async (head) => {
    await accept.promise;
    return await acceptance(head);
  });
  await using proxy = await proxyTo(upstream.url);
  await using client = await Http2Client.begun(proxy.port);
  await client.fields(1, CONNECT, false);
  await client.data(1, frameBytes(1, "early", { masked: true }));
  accept.resolve();
  await until("the message comes back", () => client.received.dataOf(1).length === 7);
  const large = frameBytes(2, new Uint8Array(60_000).fill(7), { masked: true });
  for (let at = 0; at < large.length; at += 16_000) await client.data(1, large.slice(at, at + 16_000));
  await until("the large message comes back", () => client.received.dataOf(1).length === 7 + 4 + 60_000);
  await client.data(1, frameBytes(8, bytesOf([3, 232]), { masked: true }), true);
  await client.response(1);
});

Deno.test("a client that resets its WebSocket, or leaves, ends that of the upstream", async () => {
  await using upstream = SocketUpstream.start(async (peer) => {
    assertEquals(await peer.said(), "close:1001");
  });
  await using proxy = await proxyTo(upstream.url);
  {
    await using client = await Http2Client.begun(proxy.port);
    for (const id of [1, 3]) {
      await client.fields(id, CONNECT, false);
      await until("the response is there", () => client.received.blocksOf(id).length > 0);
    }
    await client.send(frame(3, 0, 1, [0, 0, 0, 8]));
    await until("one has ended", () => upstream.open === 1);
  }
  await until("the other has ended", () => upstream.open === 0);
});

Deno.test("an upstream that refuses the WebSocket is heard, and a response of success is not taken for one", async () => {
  await using refusing = SocketUpstream.refusing("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
  await using plain = ScriptedUpstream.answering(answerOf("ok"));
  for (const [url, websocket, status] of [[refusing.url, true, 403], [plain.url, false, 501]] as const) {
    await using proxy = await proxyTo(url, websocket);
    await using client = await Http2Client.begun(proxy.port);
    await client.fields(1, CONNECT, false);
    assertEquals(await client.status(1), status);
  }
});

Deno.test("a server that stops closes WebSockets over HTTP/2 with 1001, and does not wait for its connections", async () => {
  await using upstream = SocketUpstream.echoing();
  await using client = await (async () => {
    await using proxy = await proxyTo(upstream.url);
    const made = await Http2Client.begun(proxy.port);
    await made.fields(1, CONNECT, false);
    await until("the response is there", () => made.received.blocksOf(1).length > 0);
    await made.fields(3, [...GET.slice(0, 4), ":path", "/x", ":authority", "localhost", "expect", "nothing"]);
    assertEquals(await made.status(3), 417);
    return made;
  })();
  await until("the connection is closed", () => client.closed);
  const [head, , ...code] = client.received.dataOf(1);
  assertEquals([head, ...code.slice(0, 2)], [0x88, 3, 233]);
});
