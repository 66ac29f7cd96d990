/**
 * Answers on the wire: framing, order, connection reuse, and what happens when either side leaves.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { until, within } from "../../support/condition.ts";
import { header, type ReceivedMessage, statusOf, text } from "../../support/message_reader.ts";
import { get, head, RawClient } from "../../support/raw_client.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "./own_listener.ts";

const CHUNKED_ANSWER = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";

Deno.test("SocketListener answers pipelined requests in their order", async () => {
  await using upstream = ScriptedUpstream.answering((request) => answerOf(request.firstLine));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  const count = 200;
  let bytes = "";
  for (let i = 0; i < count; i++) bytes += get(`/${i}`);
  const sending = client.send(bytes);
  for (let i = 0; i < count; i++) {
    assertEquals(text((await client.answer()).body), `GET /${i} HTTP/1.1`);
  }
  await sending;
});

Deno.test("SocketListener ends a connection as its client wants", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  const cases: [request: string, connection: string | undefined, ends: boolean][] = [
    [get("/"), undefined, false],
    [get("/", "Connection: close\r\n"), "close", true],
    [get("/", "Connection: Keep-Alive, CLOSE\r\n"), "close", true],
    ["GET / HTTP/1.0\r\nHost: site.test\r\n\r\n", "close", true],
    ["GET / HTTP/1.0\r\nHost: site.test\r\nConnection: keep-alive\r\n\r\n", "keep-alive", false],
  ];
  for (const [request, connection, ends] of cases) {
    using client = await RawClient.connect(own.port);
    await client.send(request);
    const answer = await client.answer();
    assertEquals(header(answer, "connection"), connection, request);
    if (ends) {
      await within(3000, "the end of the connection", client.reader.end());
    } else {
      await client.send(get("/"));
      assertEquals(statusOf(await client.answer()), 200, request);
    }
  }
});

Deno.test("SocketListener frames bodies of unknown length by chunks, and for HTTP/1.0 by the connection's end", async () => {
  await using upstream = ScriptedUpstream.answering(CHUNKED_ANSWER + "0\r\n\r\n");
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  // The first is here when the head is; the second is a stream.
  await client.send(get("/"));
  const first = await client.answer();
  assertEquals(text(first.body), "hello");
  let headRead = Promise.withResolvers<void>();
  await using slow = ScriptedUpstream.start(async (peer) => {
    while (await peer.request() !== undefined) {
      await peer.send(CHUNKED_ANSWER);
      await headRead.promise;
      headRead = Promise.withResolvers();
      await peer.send("6\r\n world\r\n0\r\n\r\n");
    }
  });
  /** Has the rest of the answer sent once its head has come. */
  const streamed = async (client: RawClient) => {
    const answer = await client.reader.head() as ReceivedMessage;
    headRead.resolve();
    await client.reader.body(answer, { closeEnds: true });
    return answer;
  };
  await using streaming = new OwnListener({ upstreams: [slow.url] });
  using modern = await RawClient.connect(streaming.port);
  for (let i = 0; i < 2; i++) {
    await modern.send(get("/"));
    const answer = await streamed(modern);
    assertEquals(header(answer, "transfer-encoding"), "chunked");
    assertEquals([text(answer.body), answer.whole], ["hello world", true]);
  }
  using old = await RawClient.connect(streaming.port);
  await old.send("GET / HTTP/1.0\r\nHost: site.test\r\nConnection: keep-alive\r\n\r\n");
  const answer = await streamed(old);
  assertEquals(header(answer, "transfer-encoding"), undefined);
  assertEquals(header(answer, "connection"), "close");
  assertEquals([text(answer.body), answer.whole], ["hello world", true]);
});

Deno.test("SocketListener sends no body where there is none to send", async () => {
  const answers = [
    "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  ];
  let next = 0;
  await using upstream = ScriptedUpstream.answering(() => answers[next++]);
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  const lengths = [undefined, "50", "50", "0"];
  for (let i = 0; i < answers.length; i++) {
    const method = i === 2 ? "HEAD" : "GET";
    await client.send(method === "HEAD" ? head("/") : get("/"));
    const answer = await client.answer(method);
    assertEquals(header(answer, "content-length"), lengths[i], answers[i]);
    assertEquals(header(answer, "transfer-encoding"), undefined);
    assertEquals(header(answer, "date") !== undefined, true);
  }
});

Deno.test("SocketListener never passes off half an answer as whole", async () => {
  const headsRead = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using upstream = ScriptedUpstream.start(async (peer, index) => {
    await peer.request();
    await peer.send(index === 0 ? CHUNKED_ANSWER : "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
    await headsRead[index].promise;
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  for (let i = 0; i < 2; i++) {
    using client = await RawClient.connect(own.port);
    await client.send(get("/"));
    const answer = await client.reader.head() as ReceivedMessage;
    headsRead[i].resolve();
    await client.reader.body(answer, { closeEnds: true });
    assertEquals([text(answer.body), answer.whole], ["hello", false]);
    await within(3000, "the end of the connection", client.reader.end());
  }
});

Deno.test("SocketListener sends large answers whole to a client that is slow", async () => {
  const body = "0123456789abcdef".repeat(256 * 1024);
  await using upstream = ScriptedUpstream.answering(answerOf(body));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send(get("/"));
  await until("the exchange has begun", () => own.generation.underWay === 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const answer = await client.answer();
  assertEquals(answer.whole, true);
  assertEquals(text(answer.body) === body, true);
});

Deno.test("SocketListener ends the exchange of a client that leaves before its answer", async () => {
  const closed = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.closed();
    closed.resolve();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send(get("/"));
  await until("the upstream has the request", () => upstream.requests.length === 1);
  client.close();
  await within(3000, "the upstream's connection to be closed", closed.promise);
  await until("the exchange is over", () => own.generation.underWay === 0);
});

Deno.test("SocketListener ends the exchange of a client that leaves within its answer", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (await peer.send("5\r\nhello\r\n")) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send(get("/"));
  await client.reader.head();
  client.close();
  await until("the exchange is over", () => own.generation.underWay === 0);
});

Deno.test("SocketListener goes on with a connection after errors that leave its framing clear", async () => {
  await using upstream = ScriptedUpstream.answering((request) =>
    request.firstLine.includes("bad") ? "nonsense\r\n\r\n" : answerOf("ok")
  );
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  for (const [target, status] of [["/bad", 502], ["/%zz/../..", 400], ["/", 200]] as const) {
    await client.send(get(target));
    assertEquals(statusOf(await client.answer()), status);
  }
});

Deno.test("SocketListener.shutdown() lets what is under way end, and closes the rest", async () => {
  const hold = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await hold.promise;
    await peer.send(answerOf("late"));
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using idle = await RawClient.connect(own.port);
  using busy = await RawClient.connect(own.port);
  await busy.send(get("/"));
  await until("the upstream has the request", () => upstream.requests.length === 1);
  await until("both are in", () => own.listener.connections === 2);
  const stopped = own.listener.shutdown();
  await within(3000, "the idle connection's end", idle.reader.end());
  hold.resolve();
  const answer = await busy.answer();
  assertEquals(header(answer, "connection"), "close");
  assertEquals(text(answer.body), "late");
  await within(3000, "the listener's end", stopped);
});

Deno.test("SocketListener.serve() puts another generation behind connections that are open", async () => {
  await using first = ScriptedUpstream.answering(answerOf("first"));
  await using second = ScriptedUpstream.answering(answerOf("second"));
  await using own = new OwnListener({ upstreams: [first.url] });
  await using other = new OwnListener({ upstreams: [second.url] });
  using client = await RawClient.connect(own.port);
  await client.send(get("/"));
  assertEquals(text((await client.answer()).body), "first");
  own.listener.serve(other.generation.listeners[0].responder);
  await client.send(get("/"));
  assertEquals(text((await client.answer()).body), "second");
});
