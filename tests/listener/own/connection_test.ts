/**
 * The state machine of a connection, over scripted sockets: what is written and how often, however the bytes arrive.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ClientSide } from "../../../lib/exchange/exchange.ts";
import type { BodySource } from "../../../lib/http/body.ts";
import type { HttpResponse } from "../../../lib/http/message.ts";
import { REFUSED, UNUSUAL } from "../../http1/hostile_requests.ts";
import { BAD_CHUNKS } from "../../http1/hostile_chunks.ts";
import { get, post } from "../../support/raw_client.ts";
import { CollectingSink, responseOf, ScriptedBody, ScriptedClients } from "./scripted_clients.ts";

const CHUNKED = "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n";

/** Responds with method, path and body. */
function echo(head: { method: string; path: string }, client: ClientSide): HttpResponse | Promise<HttpResponse> {
  const { body } = client;
  if (body === null) return responseOf(`${head.method} ${head.path}`);
  return new Promise((resolve) => {
    const end = ({ whole, bytes }: CollectingSink) =>
      resolve(whole ? responseOf(`${head.method} ${head.path} ${bytes}`) : { status: 499, headers: [], body: null });
    new CollectingSink(body, { end });
  });
}

/** Statuses and bodies of the responses that were written. */
function responses(written: string): string[] {
  const found: string[] = [];
  let rest = written;
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n") + 4;
    assert(end >= 4, `not a head: ${rest}`);
    const head = rest.slice(0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    found.push(`${head.split(" ")[1]} ${rest.slice(end, end + length)}`);
    rest = rest.slice(end + length);
  }
  return found;
}

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

Deno.test("a connection writes a head and its small body in one write", async () => {
  await using clients = new ScriptedClients(() => responseOf("hello"));
  const socket = clients.connect();
  socket.arrive(get("/"));
  assertEquals([socket.writes, socket.closed], [1, false]);
  assertMatch(socket.written, /^HTTP\/1\.1 200 OK\r\nx-a: b\r\ndate: [^\r]+\r\ncontent-length: 5\r\n\r\nhello$/);
  socket.arrive(get("/"));
  assertEquals(socket.writes, 2);
});

Deno.test("a connection writes a head and its large body with one call, and hands the body on as it is", async () => {
  const body = "x".repeat(100_000);
  await using clients = new ScriptedClients(() => responseOf(body));
  const socket = clients.connect();
  socket.arrive(get("/"));
  assertEquals(socket.writes, 1);
  assertEquals(responses(socket.written), [`200 ${body}`]);
});

Deno.test("a connection reads requests however they are cut, at every byte", async () => {
  const stream = get("/a") + post("/b", "hello") + CHUNKED + "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: u\r\n\r\n" +
    get("/c", "Content-Length: 2\r\n") + "hi" + "\r\n" + get("/d");
  const expected = ["200 GET /a", "200 POST /b hello", "200 POST / abcde", "200 GET /c hi", "200 GET /d"];
  await using clients = new ScriptedClients(echo);
  for (let cut = 0; cut <= stream.length; cut++) {
    const socket = clients.connect();
    socket.arrive(stream.slice(0, cut));
    await turns();
    socket.arrive(stream.slice(cut));
    for (let i = 0; i < 4; i++) await turns();
    assertEquals(responses(socket.written), expected, `cut at ${cut}`);
    socket.finish();
    assertEquals(socket.closed, true);
  }
  const socket = clients.connect();
  for (const byte of stream) {
    socket.arrive(byte);
    await turns();
  }
  assertEquals(responses(socket.written), expected, "byte by byte");
});

Deno.test("a connection refuses malformed heads with the same status wherever they are cut, and lingers", async () => {
  for (const [what, [bytes, status]] of Object.entries(REFUSED)) {
    if (bytes.length > 1000) continue;
    await using clients = new ScriptedClients(echo);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const socket = clients.connect();
      socket.arrive(bytes.slice(0, cut));
      socket.arrive(bytes.slice(cut), get("/smuggled"));
      await turns();
      assertEquals(responses(socket.written), [`${status} `], `${what}, cut at ${cut}`);
      assertStringIncludes(socket.written, "\r\nconnection: close\r\n");
      assertEquals([socket.sendsNothingMore, socket.closed], [true, false], what);
      socket.finish();
      assertEquals(socket.closed, true, what);
    }
  }
});

Deno.test("a connection lets unusual heads pass wherever they are cut", async () => {
  for (const bytes of UNUSUAL) {
    if (bytes.length > 1000) continue;
    await using clients = new ScriptedClients(echo);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const socket = clients.connect();
      socket.arrive(bytes.slice(0, cut), bytes.slice(cut));
      await turns();
      assertEquals(responses(socket.written).length, 1, bytes);
      assertMatch(socket.written, /^HTTP\/1\.1 200 /);
    }
  }
});

Deno.test("a connection responds with 400 to bad chunks wherever they are cut", async () => {
  for (const [what, body] of Object.entries(BAD_CHUNKS)) {
    const bytes = CHUNKED + body;
    if (bytes.length > 1000) continue;
    await using clients = new ScriptedClients(echo);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const socket = clients.connect();
      socket.arrive(bytes.slice(0, cut));
      await turns();
      socket.arrive(bytes.slice(cut));
      await turns();
      assertMatch(socket.written, /^HTTP\/1\.1 400 .*\r\nconnection: close\r\n/s, `${what}, cut at ${cut}`);
      socket.finish();
      assertEquals(socket.closed, true, what);
    }
  }
});

Deno.test("a connection lends a body to a reader that asks for it, and pauses while nobody does", async () => {
  let sink: CollectingSink | undefined;
  let source: ClientSide["body"] = null;
  const response = Promise.withResolvers<HttpResponse>();
  await using clients = new ScriptedClients((_head, client) => {
    source = client.body;
    sink = new CollectingSink(client.body!, { pullsOn: false });
    return response.promise;
  });
  const socket = clients.connect();
  socket.arrive(post("/", "x".repeat(200_000)).slice(0, 100_000));
  assertEquals([socket.paused, sink?.ownerships], [true, []]);
  source!.pull();
  assertEquals([socket.paused, sink?.ownerships], [true, ["given"]]);
  source!.pull();
  await turns();
  assertEquals(socket.paused, false);
  socket.arrive("y".repeat(50_000));
  assertEquals([socket.paused, sink?.ownerships], [true, ["given", "lent"]]);
  socket.arrive("z".repeat(60_000));
  assertEquals(socket.waiting, 1);
  source!.pull();
  await turns();
  assertEquals([sink?.bytes.length, sink?.whole, socket.waiting], [200_000, true, 0]);
  response.resolve(responseOf("ok"));
  await turns();
  assertMatch(socket.written, /^HTTP\/1\.1 200 OK\r\n.*ok$/s);
});

Deno.test("a connection hands trailer fields of a request to the reader of its body", async () => {
  let sink: CollectingSink | undefined;
  await using clients = new ScriptedClients((_head, client) => {
    sink = new CollectingSink(client.body!);
    return responseOf("ok");
  });
  const socket = clients.connect();
  socket.arrive(CHUNKED + "3\r\nabc\r\n0\r\nX-Checksum: 1\r\nX-B: c\r\n\r\n" + get("/").slice(0, 10));
  assertEquals([sink?.bytes, sink?.whole], ["abc", true]);
  assertEquals(sink?.trailers, ["X-Checksum", "1", "X-B", "c"]);
});

Deno.test("a connection sends trailer fields to clients that take them, and to no others", async () => {
  const trailers = ["x-checksum", "1", "content-length", "5", "x-bad", "a\r\nb"];
  await using clients = new ScriptedClients(() => ({
    status: 200,
    headers: [],
    body: new ScriptedBody(["hello"], trailers),
  }));
  for (const [te, end] of [["TE: trailers\r\n", "0\r\nx-checksum: 1\r\n\r\n"], ["", "0\r\n\r\n"]]) {
    const socket = clients.connect();
    socket.arrive(get("/", te));
    await turns();
    assertMatch(socket.written, /\r\n\r\n5\r\nhello\r\n0\r\n/);
    assertEquals(socket.written.endsWith("\r\nhello\r\n" + end), true, socket.written);
    assertEquals(socket.writes, 1, "head, chunk and last chunk are one write");
  }
});

Deno.test("a connection does not hold a head back for a body that does not come", async () => {
  const body = new ScriptedBody();
  await using clients = new ScriptedClients(() => ({ status: 200, headers: [], body }));
  const socket = clients.connect();
  socket.arrive(get("/"));
  assertEquals([socket.written, body.pulls], ["", 1]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertMatch(socket.written, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s);
  body.sink?.piece(new TextEncoder().encode("hello"), "given");
  await turns();
  assertEquals(socket.written.endsWith("\r\n\r\n5\r\nhello\r\n"), true);
  body.sink?.end();
  assertEquals(socket.written.endsWith("5\r\nhello\r\n0\r\n\r\n"), true);
});

Deno.test("a connection asks for no more of a body than its client takes", async () => {
  const body = new ScriptedBody();
  await using clients = new ScriptedClients(() => ({ status: 200, headers: ["content-length", "1000000"], body }));
  const socket = clients.connect();
  socket.block();
  socket.arrive(get("/"));
  for (let i = 0; i < 20 && body.pulls === i + 1; i++) body.sink?.piece(new Uint8Array(50_000), "given");
  assertEquals(body.pulls < 5, true, `${body.pulls} pieces were asked for`);
  const before = body.pulls;
  socket.unblock();
  assertEquals(body.pulls, before + 1);
  body.sink?.fail("over");
  assertEquals(socket.closed, true);
});

Deno.test("a connection cuts off a response that breaks off, with a reset where its end is the end of the body", async () => {
  for (
    const [request, headers, reset] of [
      [get("/"), [], false],
      [get("/"), ["content-length", "10"], false],
      ["GET / HTTP/1.0\r\nHost: site.test\r\n\r\n", [], true],
    ] as [string, string[], boolean][]
  ) {
    const body = new ScriptedBody();
    await using clients = new ScriptedClients(() => ({ status: 200, headers: [...headers], body }));
    const socket = clients.connect();
    socket.arrive(request);
    body.sink?.piece(new TextEncoder().encode("hello"), "given");
    await turns();
    assertStringIncludes(socket.written, "hello");
    socket.block();
    body.sink?.piece(new TextEncoder().encode("abc"), "given");
    await turns();
    body.sink?.fail("broken");
    assertEquals(socket.closed, false, "what is queued is sent first");
    socket.unblock();
    assertEquals([socket.closed, socket.wasReset], [true, reset]);
    assertMatch(socket.written, /hello(?:\r\n3\r\n)?abc(?:\r\n)?$/);
  }
});

Deno.test("a connection cuts off a body that is longer or shorter than its Content-Length", async () => {
  for (const piece of ["hello, world", "hell"]) {
    const body = new ScriptedBody([piece]);
    await using clients = new ScriptedClients(() => ({ status: 200, headers: ["content-length", "5"], body }));
    const socket = clients.connect();
    socket.arrive(get("/"), get("/"));
    assertEquals(socket.closed, true);
    assertEquals(socket.written.includes("world"), false);
  }
});

Deno.test("a connection refuses to send a header line that would be two", async () => {
  const body = new ScriptedBody();
  await using clients = new ScriptedClients(() => ({ status: 200, headers: ["x-a", "b\r\nx-evil: 1"], body }));
  const socket = clients.connect();
  socket.arrive(get("/split"));
  assertMatch(socket.written, /^HTTP\/1\.1 500 /);
  assertEquals([body.cancelled !== undefined, socket.sendsNothingMore], [true, true]);
  const [{ head, refusal }] = clients.responder.refused;
  assertEquals([head.path, refusal.cause.includes("line break")], ["/split", true]);
});

Deno.test("a connection keeps the reason phrase of a response", async () => {
  await using clients = new ScriptedClients(() => ({ ...responseOf("x"), reason: "Fine By Me" }));
  const socket = clients.connect();
  socket.arrive(get("/"));
  assertMatch(socket.written, /^HTTP\/1\.1 200 Fine By Me\r\n/);
});

Deno.test("a connection pauses when too much waits behind a request, and goes on when it is responded to", async () => {
  const first = Promise.withResolvers<HttpResponse>();
  let requests = 0;
  await using clients = new ScriptedClients(() => requests++ === 0 ? first.promise : responseOf(""));
  const socket = clients.connect();
  const request = get("/");
  socket.arrive(request);
  const count = Math.ceil(100_000 / request.length);
  for (let i = 0; i < count; i++) socket.arrive(request);
  assertEquals(socket.paused, true);
  assertEquals(requests, 1);
  first.resolve(responseOf(""));
  await turns();
  assertEquals([requests, socket.paused], [count + 1, false]);
});

Deno.test("a connection reads no further requests while its client takes no responses", async () => {
  let requests = 0;
  await using clients = new ScriptedClients(() => {
    requests++;
    return responseOf("x".repeat(50_000));
  });
  const socket = clients.connect();
  socket.block();
  socket.arrive(get("/").repeat(10));
  assertEquals(requests, 2);
  socket.unblock();
  assertEquals(requests > 2, true);
  while (requests < 10) {
    socket.block();
    socket.unblock();
  }
  assertEquals(responses(socket.written).length, 10);
});

Deno.test("a connection drops the response to a client that has left, and tells the exchange at once", async () => {
  const late = Promise.withResolvers<HttpResponse>();
  let client: ClientSide | undefined;
  await using clients = new ScriptedClients((_head, one) => {
    client = one;
    return late.promise;
  });
  const socket = clients.connect();
  socket.arrive(get("/"));
  const { signal } = client!;
  assertEquals(signal.aborted, false);
  socket.fail();
  assertEquals(signal.aborted, true);
  const body = new ScriptedBody();
  late.resolve({ status: 200, headers: [], body });
  await turns();
  assertEquals([body.cancelled !== undefined, socket.written], [true, ""]);
  // Asked for later, the signal says the same.
  let other: ClientSide | undefined;
  await using more = new ScriptedClients((_head, one) => {
    other = one;
    return new Promise(() => {});
  });
  const second = more.connect();
  second.arrive(get("/"));
  second.fail();
  assertEquals(other?.signal.aborted, true);
});

Deno.test("a connection does not fire the signal of an exchange that is over", async () => {
  let client: ClientSide | undefined;
  await using clients = new ScriptedClients((_head, one) => {
    client = one;
    return responseOf("");
  });
  const socket = clients.connect();
  socket.arrive(get("/"));
  const { signal } = client!;
  socket.fail();
  assertEquals(signal.aborted, false);
});

Deno.test("a connection responds with 500 to a fault in BWS, and logs its cause", async () => {
  await using clients = new ScriptedClients((head) => {
    if (head.path === "/now") throw new Error("a fault");
    const body: BodySource = {
      start: () => {
        throw new Error("a late fault");
      },
      pull: () => {},
      cancel: () => {},
    };
    return Promise.resolve({ status: 200, headers: [], body });
  });
  const now = clients.connect();
  now.arrive(get("/now"));
  assertMatch(now.written, /^HTTP\/1\.1 500 /);
  assertMatch(clients.responder.refused[0].refusal.cause, /^Internal error: Error: a fault\n/);
  // The head was to be written: there is no other response.
  const late = clients.connect();
  late.arrive(get("/late"));
  await turns();
  assertEquals([late.written, late.closed], ["", true]);
});

Deno.test("a connection that ends before a large body reads past what the client sends, until the client has left", async () => {
  await using clients = new ScriptedClients(() => ({ status: 413, headers: ["connection", "close"], body: null }));
  const socket = clients.connect();
  socket.arrive(post("/", "x".repeat(400_000)).slice(0, 80_000));
  assertStringIncludes(socket.written, "HTTP/1.1 413 ");
  assertEquals([socket.paused, socket.closed], [false, false]);
  socket.arrive("x".repeat(100_000));
  assertEquals(socket.paused, false);
});
