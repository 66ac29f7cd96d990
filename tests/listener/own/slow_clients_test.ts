/**
 * Clients that are slow on purpose: each is cut in time.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { until, within } from "../../support/condition.ts";
import { statusOf } from "../../support/message_reader.ts";
import { get, post, RawClient } from "../../support/raw_client.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "./own_listener.ts";

Deno.test("SocketListener answers 408 to half a head and closes, however it trickles in", async () => {
  await using own = new OwnListener({ upstreams: ["http://127.0.0.1:9"] }, { header_timeout: 300 });
  using client = await RawClient.connect(own.port);
  let trickling = true;
  const trickle = (async () => {
    await client.send("GET / HTTP/1.1\r\nHost: site.test\r\n");
    while (trickling && await client.send("X-A: b\r\n")) await new Promise((resolve) => setTimeout(resolve, 20));
  })();
  assertEquals(statusOf(await within(3000, "an answer", client.answer())), 408);
  trickling = false;
  await trickle;
  await until("the connection is closed", () => own.listener.connections === 0);
});

Deno.test("SocketListener closes connections on which nothing ever comes", async () => {
  await using own = new OwnListener({ upstreams: ["http://127.0.0.1:9"] }, { header_timeout: 200 });
  using client = await RawClient.connect(own.port);
  await within(3000, "the end of the connection", client.reader.end());
  assertEquals(client.reader.rest, "");
});

Deno.test("SocketListener closes connections that rest for too long between requests", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] }, { idle_timeout: 200 });
  using client = await RawClient.connect(own.port);
  await client.send(get("/"));
  assertEquals(statusOf(await client.answer()), 200);
  await within(3000, "the end of the connection", client.reader.end());
  assertEquals(client.reader.rest, "");
});

Deno.test("SocketListener answers 408 to a body that stops, and closes", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] }, { body_timeout: 300 });
  using client = await RawClient.connect(own.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\nhello");
  assertEquals(statusOf(await within(3000, "an answer", client.answer())), 408);
  await within(3000, "the end of the connection", client.reader.end());
});

Deno.test("SocketListener answers 408 to a body that trickles in, and closes", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  const limits = { body_timeout: 400, min_rate: 1000 };
  await using own = new OwnListener({ upstreams: [upstream.url] }, limits);
  using client = await RawClient.connect(own.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10000\r\n\r\n");
  let trickling = true;
  const trickle = (async () => {
    while (trickling && await client.send("x")) await new Promise((resolve) => setTimeout(resolve, 20));
  })();
  assertEquals(statusOf(await within(5000, "an answer", client.answer())), 408);
  trickling = false;
  await trickle;
});

Deno.test("SocketListener has no lowest rate for the body of a route with streaming, and one for the next request", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  const routes = [{ path: "/stream", upstream: "app", streaming: true }, { path: "/", upstream: "app" }];
  const limits = { body_timeout: 2000, min_rate: 1_000_000_000 };
  await using own = new OwnListener({ upstreams: [upstream.url], proxy: { routes } }, limits);
  using client = await RawClient.connect(own.port);
  await client.send("POST /stream HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n");
  const begunMs = performance.now();
  while (performance.now() - begunMs < limits.body_timeout + 500) {
    await client.send("1\r\nx\r\n");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await client.send("0\r\n\r\n");
  assertEquals(statusOf(await within(10_000, "an answer", client.answer())), 200);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10000\r\n\r\n");
  let trickling = true;
  const trickle = (async () => {
    while (trickling && await client.send("x")) await new Promise((resolve) => setTimeout(resolve, 20));
  })();
  assertEquals(statusOf(await within(10_000, "an answer", client.answer())), 408);
  trickling = false;
  await trickle;
});

Deno.test("SocketListener cuts a client that takes nothing of its answer", async () => {
  // More than the sockets on the way can hold.
  const piece = new Uint8Array(1024 * 1024);
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * piece.length}\r\n\r\n`);
    for (let i = 0; i < 64 && await peer.send(piece); i++);
  });
  await using own = new OwnListener({ upstreams: [upstream.url] }, { write_timeout: 300 });
  using client = await RawClient.connect(own.port);
  await client.send(get("/"));
  await until("the exchange has begun", () => own.generation.underWay === 1);
  await until("the exchange is over", () => own.generation.underWay === 0);
  await until("the connection is closed", () => own.listener.connections === 0);
});

Deno.test("SocketListener does not wait for the rest of a body whose answer is out", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.send(answerOf("early"));
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] }, { body_timeout: 300 });
  using client = await RawClient.connect(own.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\nhello");
  assertEquals(statusOf(await within(3000, "an answer", client.answer())), 200);
  await within(3000, "the end of the connection", client.reader.end());
  await until("the connection is closed", () => own.listener.connections === 0);
});

Deno.test("SocketListener does not count the upstream's slowness against the client", async () => {
  const hold = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await hold.promise;
    await peer.send(answerOf("ok"));
  });
  const limits = { header_timeout: 100, body_timeout: 100, idle_timeout: 100, write_timeout: 100 };
  await using own = new OwnListener({ upstreams: [upstream.url] }, limits);
  using client = await RawClient.connect(own.port);
  await client.send(post("/", "hello"));
  await until("the upstream has the request", () => upstream.requests.length === 1);
  setTimeout(() => hold.resolve(), 500);
  assertEquals(statusOf(await client.answer()), 200);
});

Deno.test("SocketListener holds no more connections than allowed, in all and of one address", async () => {
  for (const limits of [{ max_connections: 2 }, { max_connections_per_address: 2 }]) {
    await using upstream = ScriptedUpstream.answering(answerOf("ok"));
    await using own = new OwnListener({ upstreams: [upstream.url] }, limits);
    using first = await RawClient.connect(own.port);
    using second = await RawClient.connect(own.port);
    await until("both are in", () => own.listener.connections === 2);
    using third = await RawClient.connect(own.port);
    await within(3000, "the end of the third", third.reader.end());
    first.close();
    await until("there is room", () => own.listener.connections === 1);
    using fourth = await RawClient.connect(own.port);
    for (const client of [second, fourth]) {
      await client.send(get("/"));
      assertEquals(statusOf(await client.answer()), 200);
    }
  }
});
