/**
 * Everything that a request of HTTP/1.1 or HTTP/1.0 may be, over raw sockets.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { Log } from "../../../lib/log/log.ts";
import { until, within } from "../../support/condition.ts";
import { header, headerAll, statusOf, text } from "../../support/message_reader.ts";
import { exchange, get, post, RawClient } from "../../support/raw_client.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "./own_listener.ts";

/** The bytes of text in UTF-8, one character for each byte. */
const EURO = "\xe2\x82\xac";

Deno.test("SocketListener passes on bodies of any method, of both framings", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  for (const method of ["GET", "HEAD", "DELETE", "OPTIONS", "PURGE", "POST"]) {
    const plain = post("/", "hello").replace("POST", method);
    const chunked = `${method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;
    for (const bytes of [plain, chunked]) {
      assertEquals(statusOf(await exchange(own.port, bytes, method)), 200, bytes);
      const request = upstream.requests.pop();
      assertEquals([request?.firstLine, text(request!.body)], [`${method} / HTTP/1.1`, "hello"]);
    }
  }
});

Deno.test("SocketListener reads past a body that nobody wants, of any method", async () => {
  await using own = new OwnListener({ upstreams: ["http://127.0.0.1:9"], proxy: { routes: [] } });
  using client = await RawClient.connect(own.port);
  for (let i = 0; i < 3; i++) {
    await client.send(post("/", "hello").replace("POST", "GET"));
    assertEquals(statusOf(await client.answer()), 404);
  }
});

Deno.test("SocketListener gives HTTP/1.0 without Host to the default site, and closes or keeps the connection", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  for (let i = 0; i < 2; i++) {
    await client.send("GET /old HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    const response = await client.answer();
    assertEquals([statusOf(response), header(response, "connection")], [200, "keep-alive"]);
  }
  await client.send("GET /old HTTP/1.0\r\n\r\n");
  assertEquals(header(await client.answer(), "connection"), "close");
  await within(3000, "the end of the connection", client.reader.end());
  assertEquals(upstream.requests.map(({ firstLine }) => firstLine), Array(3).fill("GET /old HTTP/1.1"));
  assertEquals(header(upstream.requests[0], "host"), `localhost:${own.port}`);
});

Deno.test("SocketListener passes on OPTIONS * and targets in absolute form, whose authority counts", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  for (
    const [bytes, firstLine, host] of [
      ["OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1", "a"],
      ["GET http://other.test/a?b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?b HTTP/1.1", "other.test"],
      ["GET hTTps://other.test HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1", "other.test"],
      ["GET http://other.test/ HTTP/1.0\r\n\r\n", "GET / HTTP/1.1", "other.test"],
    ]
  ) {
    assertEquals(statusOf(await exchange(own.port, bytes)), 200, bytes);
    const request = upstream.requests.pop()!;
    assertEquals([request.firstLine, header(request, "host"), header(request, "x-forwarded-proto")], [
      firstLine,
      host,
      "http",
    ]);
  }
});

Deno.test("SocketListener passes raw UTF-8 in the target on percent-encoded", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  assertEquals(statusOf(await exchange(own.port, get(`/a${EURO}b/%e2%82%ac?q=${EURO}`, "X-A: \xe4\r\n"))), 200);
  assertEquals(upstream.requests[0].firstLine, "GET /a%E2%82%ACb/%e2%82%ac?q=%E2%82%AC HTTP/1.1");
  assertEquals(statusOf(await exchange(own.port, get("/\xe2\x82"))), 400);
});

for (
  const [what, bytes, status] of [
    ["CONNECT", "CONNECT site.test:443 HTTP/1.1\r\nHost: site.test:443\r\n\r\n", 405],
    ["another transfer coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501],
  ] as const
) {
  Deno.test(`SocketListener responds to ${what} once and closes: a request behind it is not read`, async () => {
    await using upstream = ScriptedUpstream.answering(answerOf("ok"));
    await using own = new OwnListener({ upstreams: [upstream.url] });
    for (const apart of [false, true]) {
      using client = await RawClient.connect(own.port);
      await client.send(apart ? bytes : bytes + get("/behind"));
      const response = await within(3000, "a response", client.answer());
      assertEquals([statusOf(response), header(response, "connection")], [status, "close"]);
      if (apart) await client.send(get("/behind"));
      await within(5000, "the end of the connection", client.reader.end());
      assertEquals([client.reader.rest, upstream.requests.length], ["", 0]);
    }
  });
}

Deno.test("SocketListener lets a client read a refusal, however much it still sends", async () => {
  await using own = new OwnListener({ upstreams: ["http://127.0.0.1:9"] });
  using client = await RawClient.connect(own.port);
  const sending = client.send(get("/", `X-A: ${"a".repeat(500_000)}\r\n`));
  assertEquals(statusOf(await within(5000, "a response", client.answer())), 431);
  await sending;
  await within(5000, "the end of the connection", client.reader.end());
  assertEquals(client.reader.broken, undefined);
});

Deno.test("SocketListener takes an empty Expect for none, and refuses others with 417", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  assertEquals(statusOf(await exchange(own.port, post("/", "abc", "Expect: ,\r\n"))), 200);
  assertEquals(statusOf(await exchange(own.port, get("/", "Expect: a-pony\r\n"))), 417);
  // HTTP/1.0 knows none, and gets no interim response.
  using client = await RawClient.connect(own.port);
  await client.send(post("/", "abc", "Expect: 100-continue\r\n").replace("HTTP/1.1", "HTTP/1.0"));
  assertEquals((await client.reader.answer())?.firstLine, "HTTP/1.1 200 OK");
});

Deno.test("SocketListener writes an access line for refused requests, with what could be read", async () => {
  const lines: string[] = [];
  const log = new Log((bytes) => {
    lines.push(...new TextDecoder().decode(bytes).trim().split("\n"));
    return Promise.resolve();
  });
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url], site: { name: "shop" } }, {}, { log });
  const cases: [bytes: string, status: number, fields: Record<string, string>][] = [
    [`GET /stra\xc3\x9fe#f HTTP/1.1\r\nHost: x\r\n\r\n`, 400, { path: "/stra%C3%9Fe%23f", site: "shop", host: "x" }],
    [get("/expect?a=1", "Expect: pony\r\n"), 417, { path: "/expect?a=1", site: "shop", host: "site.test" }],
    ["GET /host HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, { path: "/host", site: "", host: "a/b" }],
    ["GET ftp://site.test/s HTTP/1.1\r\nHost: site.test\r\n\r\n", 400, { path: "/s", site: "shop", host: "site.test" }],
    [
      "GET http://other.test/absolute HTTP/1.1\r\nHost: site.test\r\nExpect: a\r\n\r\n",
      417,
      { path: "/absolute", site: "shop", host: "other.test" },
    ],
    ["CONNECT a.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n", 405, { method: "CONNECT", path: "/", host: "a.test:443" }],
    [get("/long", `X-A: ${"a".repeat(40_000)}\r\n`), 431, { method: "GET", path: "/long", host: "site.test" }],
    [get("/folded", "X-A: b\r\n c\r\n"), 400, { method: "GET", path: "/folded", host: "site.test", site: "shop" }],
    ["nonsense\r\n\r\n", 400, { method: "", path: "/", site: "" }],
    ["POST /te HTTP/1.1\r\nHost: b.test\r\nTransfer-Encoding: gzip\r\n\r\n", 501, { method: "POST", path: "/te" }],
  ];
  for (const [bytes, status, fields] of cases) {
    assertEquals(statusOf(await exchange(own.port, bytes)), status, bytes.slice(0, 80));
    await until("the line is written", () => lines.length > 0);
    const line = JSON.parse(lines.pop() as string);
    for (const [name, value] of Object.entries(fields)) {
      assertEquals(line[name], value, `${name} of ${bytes.slice(0, 80)}`);
    }
    assertEquals([line.status, line.cause_owner, line.client], [status, "client", "127.0.0.1"]);
  }
});

Deno.test("SocketListener joins the lines of fields that are read as one, and keeps all others apart", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  await exchange(own.port, get("/", "Accept: a/b\r\nX-A: 1\r\nAccept: c/d\r\nX-A: 2\r\nVia: 1.1 a\r\nVia: 1.1 b\r\n"));
  const [request] = upstream.requests;
  assertEquals(headerAll(request, "accept"), ["a/b, c/d"]);
  assertEquals(headerAll(request, "x-a"), ["1", "2"]);
  assertMatch(header(request, "via") ?? "", /^1\.1 a, 1\.1 b, /);
});
