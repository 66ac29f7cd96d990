/**
 * Clients that end their side of the connection: with their request, as `nc -N` does, or because they leave.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import type { HttpResponse } from "../../../lib/http/message.ts";
import { someTurns, until, within } from "../../support/condition.ts";
import { statusOf, text } from "../../support/message_reader.ts";
import { get, post, RawClient } from "../../support/raw_client.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "./own_listener.ts";
import { responseOf, ScriptedClients } from "./scripted_clients.ts";

for (
  const [what, bytes] of [
    ["a GET", get("/")],
    ["a GET of HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"],
    ["a POST", post("/", "hello")],
  ]
) {
  Deno.test(`a client that ends its side behind ${what} gets the response, small and large`, async () => {
    for (const body of ["ok", "0123456789abcdef".repeat(64 * 1024)]) {
      await using upstream = ScriptedUpstream.answering(answerOf(body));
      await using own = new OwnListener({ upstreams: [upstream.url] });
      using client = await RawClient.connect(own.port);
      await client.send(bytes);
      await client.closeWrite();
      const response = await within(5000, "a response", client.answer());
      assertEquals([statusOf(response), response.whole], [200, true]);
      assertEquals(text(response.body) === body, true);
      await within(5000, "the end of the connection", client.reader.end());
      assertEquals(client.reader.rest, "");
    }
  });
}

Deno.test("a client that ends its side gets the responses to all its pipelined requests", async () => {
  await using upstream = ScriptedUpstream.answering((request) => answerOf(request.firstLine));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send(get("/a") + get("/b") + get("/c"));
  await client.closeWrite();
  for (const path of ["/a", "/b", "/c"]) {
    assertEquals(text((await within(5000, path, client.answer())).body), `GET ${path} HTTP/1.1`);
  }
  await within(5000, "the end of the connection", client.reader.end());
});

Deno.test("a client that ends its side in the body of a pipelined request gets the responses before, and is closed at once", async () => {
  await using upstream = ScriptedUpstream.answering((request) => answerOf(request.firstLine));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send(get("/a") + "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  await client.closeWrite();
  assertEquals(text((await within(5000, "/a", client.answer())).body), "GET /a HTTP/1.1");
  await within(5000, "the end of the connection", client.reader.end());
  assertEquals(client.reader.rest, "");
});

Deno.test("a client that ends its side gets a response that takes a while", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await peer.send(answerOf("late"));
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send(get("/"));
  await client.closeWrite();
  // Interim responses found out that it is there.
  assertEquals(text((await within(5000, "a response", client.answer())).body), "late");
});

Deno.test("a client that leaves right behind its request is noticed, before and within each kind of response", async () => {
  for (
    const head of [
      undefined,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
    ]
  ) {
    const closed = Promise.withResolvers<void>();
    await using upstream = ScriptedUpstream.start(async (peer) => {
      await peer.request();
      if (head !== undefined) await peer.send(head);
      await peer.closed();
      closed.resolve();
    });
    await using own = new OwnListener({ upstreams: [upstream.url] });
    using client = await RawClient.connect(own.port);
    await client.send(get("/"));
    await until("the upstream has the request", () => upstream.requests.length === 1);
    if (head !== undefined) await client.reader.head();
    client.close();
    await within(3000, "the end of the upstream's connection", closed.promise);
    await until("the exchange is over", () => own.generation.underWay === 0);
  }
});

Deno.test("a client that leaves a while after its request is gone at once", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send("GET / HTTP/1.0\r\nHost: site.test\r\n\r\n");
  await until("the upstream has the request", () => upstream.requests.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await client.closeWrite();
  await until("the exchange is over", () => own.generation.underWay === 0);
  assertMatch(client.reader.rest, /^$/);
});

Deno.test("a client that ends its side takes all of its responses first, however slowly", async () => {
  const halfPost = "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\n\r\nhe";
  const behind = { "nothing": "", "a part of a head": "GET", "a part of a body": halfPost };
  for (const [what, rest] of Object.entries(behind)) {
    for (const waits of [true, false]) {
      const response = responseOf("x".repeat(50_000));
      const { promise, resolve } = Promise.withResolvers<HttpResponse>();
      await using clients = new ScriptedClients(() => waits ? promise : response);
      const socket = clients.connect();
      socket.block();
      socket.arrive(get("/") + rest);
      socket.finish();
      resolve(response);
      await someTurns();
      assertEquals([socket.queuedBytes > 50_000, socket.closed], [true, false], what);
      socket.unblock(30_000);
      assertEquals(socket.closed, false, what);
      socket.unblock();
      assertEquals([socket.written.length > 50_000, socket.closed], [true, true], what);
    }
  }
});
