/**
 * Clients that leave while their upload is paused, because nobody takes it.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { socketChoice } from "../../../lib/process/socket_choice.ts";
import { closeQuietly } from "../../../lib/sockets/wire.ts";
import { text } from "../../support/message_reader.ts";
import { stands, until, within } from "../../support/condition.ts";
import { LoggedProxy } from "../../support/logged_proxy.ts";
import { get, RawClient } from "../../support/raw_client.ts";
import { ResettingPeer } from "../../support/resetting_peer.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";

const HEAD = "POST /upload HTTP/1.1\r\nHost: site.test\r\nContent-Length: 100000000\r\n\r\n";

/** Accepts connections and reads nothing. */
function deafUpstream() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) conns.push(conn);
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    conns,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of conns) closeQuietly(conn);
    },
  };
}

/** A proxy whose only place at the upstream is taken by a request that lasts, and what ends that. */
async function fullProxy() {
  const upstream = ScriptedUpstream.start(async (peer) => {
    const request = await peer.request();
    if (request?.firstLine.startsWith("POST ")) await peer.send(answerOf("thanks"));
    await peer.closed();
  });
  const proxy = await LoggedProxy.start({
    upstreams: [{ url: upstream.url, max_connections: 1 }],
    proxy: { connections: { queue_timeout: "10m" } },
    server: { listener: "own" },
  });
  const first = await RawClient.connect(proxy.port);
  await first.send(get("/first"));
  await until("the upstream has a request", () => upstream.requests.length === 1);
  return {
    proxy,
    /** Frees the place. */
    free: () => first.close(),
    async [Symbol.asyncDispose]() {
      first.close();
      await until("no exchange is under way", () => proxy.server.generation.underWay === 0);
      await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a client that resets its connection while the upstream takes nothing of its upload has left", async () => {
  await using upstream = deafUpstream();
  await using proxy = await LoggedProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  const peer = await ResettingPeer.open("127.0.0.1", proxy.port);
  let pieces = 0;
  const sending = (async () => {
    await peer.send(HEAD);
    for (; pieces < 1500; pieces++) await peer.send("x".repeat(64 * 1024));
  })();
  await stands("what was sent", () => pieces);
  assertEquals(pieces < 1500, true);
  await peer.reset();
  const line = await proxy.accessLine("/upload");
  assertEquals([line.status, line.cause_owner], [499, "client"]);
  await Promise.race([sending, Promise.resolve()]);
});

Deno.test("a client that resets its connection while its upload waits for an upstream has left", async () => {
  await using full = await fullProxy();
  const peer = await ResettingPeer.open("127.0.0.1", full.proxy.port);
  await peer.send(HEAD + "x".repeat(120_000));
  await until("the upload waits", () => full.proxy.server.generation.underWay === 2);
  await peer.reset();
  const line = await full.proxy.accessLine("/upload");
  assertEquals([line.status, line.cause_owner], [499, "client"]);
});

Deno.test({
  name: "a client that closes its connection while its upload waits for an upstream has left",
  // The runtime's sockets tell no end before the bytes in front of it are read.
  ignore: (await socketChoice({ sockets: "auto" })).driver === "runtime",
  async fn() {
    await using full = await fullProxy();
    const client = await RawClient.connect(full.proxy.port);
    await client.send(HEAD + "x".repeat(120_000));
    await until("the upload waits", () => full.proxy.server.generation.underWay === 2);
    client.close();
    const line = await full.proxy.accessLine("/upload");
    assertEquals([line.status, line.cause_owner], [499, "client"]);
  },
});

Deno.test("a client that has ended its side behind an upload that waits for an upstream gets its response", async () => {
  await using full = await fullProxy();
  using client = await RawClient.connect(full.proxy.port);
  const body = "x".repeat(120_000);
  await client.send(`POST /upload HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await client.closeWrite();
  await until("the upload waits", () => full.proxy.server.generation.underWay === 2);
  // Longer than a client that has left is given.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  full.free();
  assertEquals(text((await within(5000, "a response", client.answer())).body), "thanks");
});
