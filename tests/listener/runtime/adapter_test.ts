// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Responder } from "../../../lib/exchange/responder.ts";
import type { BodySink } from "../../../lib/http/body.ts";
import type { HttpResponse, RequestHead } from "../../../lib/http/message.ts";
import type { Refusal } from "../../../lib/http/refusal.ts";
import { respond } from "../../../lib/listener/runtime/adapter.ts";
import { until } from "../../support/condition.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Without middleware no exchange is held. */
const NOTHING_HELD: Pick<Responder, "hold" | "release"> = {
  hold: () => {
    throw new Error("hold() was called");
  },
  release: () => {
    throw new Error("release() was called");
  },
};

/** A responder that gives `made`, and keeps what it was asked. */
function giving(made: HttpResponse | (() => Promise<HttpResponse>)) {
  const heads: RequestHead[] = [];
  const refused: [RequestHead, Refusal][] = [];
  const responder: Responder = {
    respond: (head) => {
      heads.push(head);
      return typeof made === "function" ? made() : made;
    },
    refuse: (head, _client, refusal) => {
      refused.push([head, refusal]);
      return { status: refusal.status, headers: [], body: null };
    },
    ...NOTHING_HELD,
  };
  return { responder, heads, refused };
}

/** What a client of the runtime's server reads of `made`. */
async function overTheWire(made: HttpResponse, method = "GET") {
  const { responder } = giving(made);
  const entry = { responder, ownPort: true, scheme: "http" as const };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request, info) => respond(request, info, entry),
  );
  const client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await client.write(bytes(`${method} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`));
  const all = await new Response(client.readable).text();
  await server.shutdown();
  const end = all.indexOf("\r\n\r\n");
  const [first, ...lines] = all.slice(0, end).split("\r\n");
  // Date, and what the runtime adds because of `connection: close`.
  const added = /^(date|vary|connection):/;
  return {
    first,
    lines: lines.map((line) => line.toLowerCase()).filter((line) => !added.test(line)),
    body: all.slice(end + 4),
  };
}

Deno.test("respond() sends header lines in their order, those of one name one by one", async () => {
  const headers = ["x-b", "1", "set-cookie", "a=1", "x-a", "2", "set-cookie", "b=2", "x-b", "3", "content-length", "2"];
  const { lines, body } = await overTheWire({ status: 200, headers, body: bytes("hi") });
  assertEquals(lines.filter((line) => line.startsWith("set-cookie")), ["set-cookie: a=1", "set-cookie: b=2"]);
  assertEquals(lines.filter((line) => line.startsWith("x-b")), ["x-b: 1", "x-b: 3"]);
  // The length is written once, by the runtime.
  assertEquals(lines.filter((line) => line.startsWith("content-length")), ["content-length: 2"]);
  assertEquals(body, "hi");
});

Deno.test("respond() leaves the length of whole bytes to the server of an own port, and says it to a program", async () => {
  const made = { status: 200, headers: ["content-length", "2", "x-a", "1"], body: bytes("hi") };
  for (const [ownPort, length] of [[true, null], [false, "2"]] as const) {
    const response = await respond(new Request("http://a/"), undefined, { responder: giving(made).responder, ownPort });
    assertEquals([response.headers.get("content-length"), response.headers.get("x-a")], [length, "1"]);
    assertEquals(await response.text(), "hi");
  }
});

Deno.test("respond() to HEAD keeps a length that is known, and claims none that is not", async () => {
  const known = await overTheWire({ status: 200, headers: ["content-length", "7"], body: null }, "HEAD");
  assertEquals([known.first, known.lines, known.body], ["HTTP/1.1 200 OK", ["content-length: 7"], ""]);
  const unknown = await overTheWire({ status: 200, headers: ["x-a", "1"], body: null }, "HEAD");
  assertEquals(unknown.lines.filter((line) => line.startsWith("content-length")), []);
  assertEquals(unknown.body, "");
});

Deno.test("respond() sends no body with 204, 205 and 304, whatever it was given", async () => {
  for (const status of [204, 205, 304]) {
    for (const body of [null, bytes("never")]) {
      const sent = await overTheWire({ status, headers: ["etag", '"a"'], body });
      assertStringIncludes(sent.first, ` ${status}`);
      assertEquals([sent.lines.includes('etag: "a"'), sent.body.includes("never")], [true, false]);
    }
  }
});

Deno.test("respond() pulls a body's pieces, and waits for a response that comes late", async () => {
  const pieces = ["one ", "two ", "three"];
  let sink: BodySink | undefined;
  const body = {
    start: (given: BodySink) => void (sink = given),
    pull: () => {
      const piece = pieces.shift();
      if (piece === undefined) sink?.end();
      else sink?.piece(bytes(piece), "shared");
    },
    cancel: () => {},
  };
  const { responder } = giving(() => Promise.resolve({ status: 201, headers: ["x-a", "1"], body }));
  const response = await respond(new Request("http://a/"), undefined, { responder, ownPort: false });
  assertEquals([response.status, response.headers.get("x-a"), await response.text()], [201, "1", "one two three"]);
});

Deno.test("respond() hands a request that cannot be served to refuse(), with what could be read of it", async () => {
  const { responder, heads, refused } = giving({ status: 200, headers: [], body: null });
  const request = new Request("http://a/path?q=1", { headers: { host: "a/b" } });
  const response = await respond(request, undefined, { responder, ownPort: false });
  assertEquals([response.status, heads.length, refused.length], [400, 0, 1]);
  const [[head, refusal]] = refused;
  assertEquals([head.method, head.path, head.query, refusal.cause], ["GET", "/path", "?q=1", "Host is no authority"]);
});

Deno.test("respond() upgrades, adds its header lines, and hands the socket over", async () => {
  const begun = Promise.withResolvers<WebSocket>();
  const upgrade = {
    idleTimeoutSeconds: 0,
    begin: (socket: WebSocket) => begun.resolve(socket),
    fail: () => ({ status: 500, headers: [], body: null }),
  };
  const { responder } = giving({ status: 101, headers: ["sec-websocket-protocol", "chat"], body: null, upgrade });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request, info) => respond(request, info, { responder, ownPort: true }),
  );
  const client = new WebSocket(`ws://127.0.0.1:${server.addr.port}/`, "chat");
  const socket = await begun.promise;
  await until(
    "both sides are open",
    () => client.readyState === WebSocket.OPEN && socket.readyState === WebSocket.OPEN,
  );
  assertEquals(client.protocol, "chat");
  const closed = Promise.all([client, socket].map((side) => new Promise((resolve) => side.onclose = resolve)));
  client.close();
  await closed;
  await server.shutdown();
});

Deno.test("respond() gives what `fail` says where the runtime cannot upgrade the request, and hands no socket over", async () => {
  const reasons: string[] = [];
  let begun = 0;
  const upgrade = {
    idleTimeoutSeconds: 0,
    begin: () => void begun++,
    fail: (reason: string): HttpResponse => {
      reasons.push(reason);
      return { status: 400, headers: ["x-a", "1"], body: bytes("no") };
    },
  };
  const { responder } = giving({ status: 101, headers: ["x-b", "2"], body: null, upgrade });
  const response = await respond(new Request("http://a/"), undefined, { responder, ownPort: false });
  assertEquals([response.status, response.headers.get("x-a"), response.headers.get("x-b")], [400, "1", null]);
  assertEquals([await response.text(), reasons.length, begun], ["no", 1, 0]);
});
