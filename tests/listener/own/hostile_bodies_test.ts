/**
 * Request bodies over raw sockets: badly framed, too large, unwanted, broken off.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { BAD_CHUNKS } from "../../http1/hostile_chunks.ts";
import { stands, until, within } from "../../support/condition.ts";
import { header, statusOf, text } from "../../support/message_reader.ts";
import { get, post, RawClient } from "../../support/raw_client.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "./own_listener.ts";

const CHUNKED = "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n";

for (const [what, body] of Object.entries(BAD_CHUNKS)) {
  for (const apart of [false, true]) {
    const how = apart ? "behind the head" : "along with the head";
    Deno.test(`SocketListener answers 400 to ${what} ${how}, and closes`, async () => {
      await using upstream = ScriptedUpstream.answering(answerOf("ok"));
      await using own = new OwnListener({ upstreams: [upstream.url] });
      using client = await RawClient.connect(own.port);
      if (apart) {
        await client.send(CHUNKED);
        await until("the exchange has begun", () => own.generation.underWay === 1);
        await client.send(body);
      } else {
        await client.send(CHUNKED + body);
      }
      const answer = await within(5000, "an answer", client.answer());
      assertEquals(statusOf(answer), 400);
      assertEquals(header(answer, "connection"), "close");
      await within(5000, "the end of the connection", client.reader.end());
      assertEquals(upstream.requests.filter((request) => request.whole).length, 0);
    });
  }
}

Deno.test("SocketListener carries chunked bodies however they are cut, and finds the next request behind them", async () => {
  await using upstream = ScriptedUpstream.answering((request) => answerOf(text(request.body)));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  const body = "3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
  const bytes = CHUNKED + body + get("/next");
  for (const step of [1, 7, 50, bytes.length]) {
    using client = await RawClient.connect(own.port);
    for (let at = 0; at < bytes.length; at += step) await client.send(bytes.slice(at, at + step));
    assertEquals(text((await client.answer()).body), "abc0123456789", `in steps of ${step}`);
    assertEquals(statusOf(await client.answer()), 200, `in steps of ${step}`);
  }
});

Deno.test("SocketListener carries large bodies of both framings unchanged", async () => {
  await using upstream = ScriptedUpstream.answering((request) => answerOf(String(request.body.length)));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  const body = "0123456789abcdef".repeat(64 * 1024);
  using client = await RawClient.connect(own.port);
  await client.send(post("/", body));
  assertEquals(text((await client.answer()).body), String(body.length));
  await client.send(CHUNKED + `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
  assertEquals(text((await client.answer()).body), String(body.length));
  assertEquals(text(upstream.requests[1].body) === body, true);
});

Deno.test("SocketListener answers 413 to a body larger than allowed before it is sent, and closes", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url], site: { max_body_size: 1000 } });
  using client = await RawClient.connect(own.port);
  await client.send(`POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5000000\r\n\r\n${"x".repeat(3000)}`);
  const answer = await client.answer();
  assertEquals(statusOf(answer), 413);
  assertEquals(header(answer, "connection"), "close");
  await within(5000, "the end of the connection", client.reader.end());
  assertEquals(upstream.requests.length, 0);
});

Deno.test("SocketListener answers 413 to a chunked body that grows larger than allowed, and closes", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url], site: { max_body_size: 1000 } });
  using client = await RawClient.connect(own.port);
  await client.send(CHUNKED + `500\r\n${"x".repeat(0x500)}\r\n`.repeat(3));
  assertEquals(statusOf(await within(5000, "an answer", client.answer())), 413);
  await within(5000, "the end of the connection", client.reader.end());
  assertEquals(upstream.requests.filter((request) => request.whole).length, 0);
});

Deno.test("SocketListener sends 100 (Continue) once, and only when the body is wanted", async () => {
  await using upstream = ScriptedUpstream.answering((request) => answerOf(text(request.body)));
  await using own = new OwnListener({ upstreams: [upstream.url], site: { max_body_size: 1000 } });
  using client = await RawClient.connect(own.port);
  const expecting = (length: number) =>
    `POST / HTTP/1.1\r\nHost: site.test\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
  await client.send(expecting(5));
  assertEquals((await client.reader.answer())?.firstLine, "HTTP/1.1 100 Continue");
  await client.send("hello");
  const answer = await client.reader.answer();
  assertEquals(answer?.firstLine, "HTTP/1.1 200 OK");
  assertEquals(answer === undefined ? "" : text(answer.body), "hello");
  // One that does not wait needs no word.
  await client.send(expecting(5) + "again");
  assertEquals((await client.reader.answer())?.firstLine, "HTTP/1.1 200 OK");
  // One that is refused has none, and its connection ends, since its body may follow or not.
  await client.send(expecting(5000));
  const refused = await client.reader.answer();
  assertEquals(refused?.firstLine, "HTTP/1.1 413 Content Too Large");
  await within(5000, "the end of the connection", client.reader.end());
  assertEquals(client.reader.rest, "");
});

Deno.test("SocketListener reads past a small body that nobody wanted, and goes on", async () => {
  await using own = new OwnListener({ upstreams: ["http://127.0.0.1:9"], proxy: { routes: [] } });
  using client = await RawClient.connect(own.port);
  await client.send(post("/", "hello") + get("/"));
  assertEquals(statusOf(await client.answer()), 404);
  assertEquals(statusOf(await client.answer()), 404);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\nhello");
  assertEquals(statusOf(await client.answer()), 404);
  await client.send("world" + get("/"));
  assertEquals(statusOf(await client.answer()), 404);
});

Deno.test("SocketListener closes rather than read a large body that nobody wanted", async () => {
  await using own = new OwnListener({ upstreams: ["http://127.0.0.1:9"], proxy: { routes: [] } });
  using client = await RawClient.connect(own.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000000000\r\n\r\nhello");
  const refused = await client.answer();
  assertEquals(statusOf(refused), 404);
  assertEquals(header(refused, "connection"), "close");
  await within(5000, "the end of the connection", client.reader.end());
});

Deno.test("SocketListener says that it closes when an upstream responds to a large body before it is sent", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.send(answerOf("early"));
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000000000\r\n\r\nhello");
  const early = await client.answer();
  assertEquals(text(early.body), "early");
  assertEquals(header(early, "connection"), "close");
  await within(5000, "the end of the connection", client.reader.end());
});

Deno.test("SocketListener does not pass off a body that broke off as whole", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 100\r\n\r\nhello");
  await until("the exchange has begun", () => own.generation.underWay === 1);
  client.close();
  await until("the exchange is over", () => own.generation.underWay === 0);
  assertEquals(upstream.requests.filter((request) => request.whole).length, 0);
});

Deno.test("SocketListener reads a body no faster than the upstream takes it", async () => {
  const hold = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await hold.promise;
  });
  await using own = new OwnListener({ upstreams: [upstream.url], proxy: { timeout: { write: "60s" } } });
  using client = await RawClient.connect(own.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000000000\r\n\r\n");
  let sentBytes = 0;
  const piece = new Uint8Array(1024 * 1024);
  let stuck = false;
  const sending = (async () => {
    while (!stuck && await client.send(piece)) sentBytes += piece.length;
  })();
  // What the client can send comes to rest once all buffers on the way are full.
  await stands("what the client has sent", () => sentBytes);
  stuck = true;
  assertEquals(sentBytes < 64 * 1024 * 1024, true, `${sentBytes} bytes were taken`);
  client.close();
  hold.resolve();
  await sending;
});
