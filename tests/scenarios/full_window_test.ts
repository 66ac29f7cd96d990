/**
 * Ends and resets behind bytes that nobody takes yet, in both directions.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { stands, until } from "../support/condition.ts";
import { header, statusOf, text } from "../support/message_reader.ts";
import { checkNumberedBytes, numberedBytes } from "../support/numbered_bytes.ts";
import { RawClient } from "../support/raw_client.ts";
import { ResettingPeer } from "../support/resetting_peer.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

/** More than all systems on the way hold. */
const BYTES = 24 * 1024 * 1024;
const BLOCK = 64 * 1024;

const UPLOAD = `POST /upload HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${BYTES}\r\n\r\n`;

Deno.test("a client that ends its side behind an upload that is not taken yet gets its response", async () => {
  const { promise: taken, resolve: take } = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await taken;
    const request = await peer.request();
    const body = request?.body as Uint8Array<ArrayBuffer>;
    checkNumberedBytes(body, 0, body.length, 0);
    await peer.send(answerOf("thanks", `X-Taken: ${body.length}\r\n`));
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  using client = await RawClient.connect(proxy.port);
  let sent = 0;
  const sending = (async () => {
    await client.send(UPLOAD);
    for (; sent < BYTES; sent += BLOCK) await client.send(numberedBytes(sent, BLOCK));
    await client.closeWrite();
  })();
  await stands("what was sent", () => sent);
  assertEquals(sent < BYTES, true);
  take();
  const response = await client.answer("POST");
  await sending;
  assertEquals([statusOf(response), header(response, "x-taken"), text(response.body)], [200, `${BYTES}`, "thanks"]);
  await proxy.idle();
});

Deno.test("a response that ends with its connection, behind bytes that the client does not take yet, arrives whole", async () => {
  let sent = 0;
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    for (; sent < BYTES; sent += BLOCK) await peer.send(numberedBytes(sent, BLOCK));
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  using client = await RawClient.connect(proxy.port);
  await client.send("GET /download HTTP/1.1\r\nHost: site.test\r\n\r\n");
  await until("the response has begun", () => sent > 0);
  await stands("what the upstream sent", () => sent);
  assertEquals(sent < BYTES, true);
  const { whole, body } = await client.answer();
  assertEquals([whole, body.length], [true, BYTES]);
  checkNumberedBytes(body as Uint8Array<ArrayBuffer>, 0, body.length, 0);
  await proxy.idle();
});

Deno.test("a client that resets its connection while both directions are full ends the exchange", async () => {
  let sent = 0;
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while (await peer.send(numberedBytes(0, BLOCK))) sent += BLOCK;
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  const client = await ResettingPeer.open("127.0.0.1", proxy.port);
  let pieces = 0;
  (async () => {
    await client.send(UPLOAD);
    for (; pieces < BYTES / BLOCK; pieces++) await client.send("x".repeat(BLOCK));
  })().catch(() => {});
  await until("the response has begun", () => sent > 0);
  await stands("what both have sent", () => sent + pieces);
  await client.reset();
  await until("the proxy has closed the upstream's connection", () => upstream.open === 0);
  await proxy.idle();
});
