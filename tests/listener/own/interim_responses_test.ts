/**
 * Interim responses, over scripted sockets: what the upstream sends ahead reaches the clients that may get it.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { ClientSide } from "../../../lib/exchange/exchange.ts";
import type { HttpResponse } from "../../../lib/http/message.ts";
import { get } from "../../support/raw_client.ts";
import type { ScriptedSocket } from "../../support/scripted_socket.ts";
import { CollectingSink, responseOf, ScriptedBody, ScriptedClients } from "./scripted_clients.ts";

const EXPECTING = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** A request whose response waits. */
interface Waiting extends AsyncDisposable {
  socket: ScriptedSocket;
  client: ClientSide;
  respond: (response: HttpResponse) => Promise<void>;
}

function waiting(bytes: string): Waiting {
  const response = Promise.withResolvers<HttpResponse>();
  let found: ClientSide | undefined;
  const clients = new ScriptedClients((_head, client) => {
    found = client;
    return response.promise;
  });
  const socket = clients.connect();
  socket.arrive(bytes);
  return {
    socket,
    client: found!,
    respond: async (made) => {
      response.resolve(made);
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
    [Symbol.asyncDispose]: () => clients[Symbol.asyncDispose](),
  };
}

Deno.test("inform() sends interim responses in front of the response, and none behind its head", async () => {
  await using one = waiting(get("/"));
  one.client.inform?.(103, ["link", "</a.css>; rel=preload"]);
  one.client.inform?.(102, []);
  assertEquals(
    one.socket.written,
    "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
  );
  const body = new ScriptedBody();
  await one.respond({ status: 200, headers: [], body });
  const before = one.socket.written;
  one.client.inform?.(103, []);
  body.sink?.piece(new TextEncoder().encode("x"), "given");
  one.client.inform?.(103, []);
  body.sink?.end();
  one.client.inform?.(103, []);
  assertEquals(one.socket.written.split("HTTP/1.1 ").length, before.split("HTTP/1.1 ").length + 1);
});

Deno.test("inform() sends nothing to HTTP/1.0, no 101, and nothing to a client that has left", async () => {
  await using old = waiting("GET / HTTP/1.0\r\n\r\n");
  old.client.inform?.(103, []);
  assertEquals(old.socket.written, "");
  await using one = waiting(get("/"));
  one.client.inform?.(101, []);
  one.client.inform?.(100, []);
  one.socket.fail();
  one.client.inform?.(103, []);
  assertEquals(one.socket.written, "");
});

Deno.test("inform() refuses header lines that would be two", async () => {
  await using one = waiting(get("/"));
  assertThrows(() => one.client.inform?.(103, ["link", "a\r\nx: y"]), TypeError, "line break");
  assertEquals(one.socket.written, "");
});

Deno.test("100 (Continue) is sent once: when the body is wanted, or when the upstream says so", async () => {
  await using wanted = waiting(EXPECTING);
  assertEquals(wanted.socket.written, "");
  const sink = new CollectingSink(wanted.client.body!);
  assertEquals(wanted.socket.written, CONTINUE);
  wanted.client.inform?.(100, []);
  wanted.socket.arrive("he", "llo");
  assertEquals([wanted.socket.written, sink.bytes, sink.whole], [CONTINUE, "hello", true]);

  await using told = waiting(EXPECTING);
  told.client.inform?.(100, []);
  told.client.inform?.(100, []);
  new CollectingSink(told.client.body!);
  assertEquals(told.socket.written, CONTINUE);
});

Deno.test("a client that sends its body without waiting gets no 100 (Continue)", async () => {
  await using one = waiting(EXPECTING + "he");
  const sink = new CollectingSink(one.client.body!);
  one.client.inform?.(100, []);
  one.socket.arrive("llo");
  assertEquals([one.socket.written, sink.bytes], ["", "hello"]);
});

Deno.test("a client that waits for 100 (Continue) and gets a response instead is not heard again", async () => {
  await using one = waiting(EXPECTING);
  await one.respond(responseOf("no"));
  assertMatch(one.socket.written, /^HTTP\/1\.1 200 OK\r\n.*\r\nconnection: close\r\n\r\nno$/s);
  one.socket.arrive("hello" + get("/"));
  one.socket.finish();
  assertEquals(one.socket.closed, true);
});
