// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "node:http2";
import { until, within } from "../support/condition.ts";
import { testEachListener } from "../support/each_listener.ts";
import { OWN } from "../support/listener_in_use.ts";
import { header, headerAll, type ReceivedMessage, statusOf, text } from "../support/message_reader.ts";
import { exchange, get, post, RawClient } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

const CHUNKED = "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n";

/** Sends `bytes` and gives what reached the upstream besides the answer's status; status 0 stands for a closed connection. */
async function pass(bytes: string, server?: { trusted_proxies: string[] }, headers?: { add_forwarded: boolean }) {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    server,
    proxy: { headers, timeout: { client: "500ms" } },
  });
  using client = await RawClient.connect(proxy.port);
  await client.send(bytes);
  const answer = await within(3000, "an answer", client.reader.answer());
  return { status: answer === undefined ? 0 : statusOf(answer), requests: upstream.requests };
}

async function passed(bytes: string, server?: { trusted_proxies: string[] }, headers?: { add_forwarded: boolean }) {
  const { status, requests } = await pass(bytes, server, headers);
  assertEquals([status, requests.length], [200, 1], bytes.slice(0, 200));
  return requests[0];
}

const REFUSED: readonly [status: number, what: string, bytes: string][] = [
  ...["a/b", "a?b", "a#b", "a@b", "a b", "", "a:b", "a:99999", "[::1", "a,b", "a\\b", "a%41"].map((
    host,
  ): [number, string, string] => [400, `Host "${host}"`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`]),
  [400, "two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
  [400, "user information in its target", "GET http://a@site.test/ HTTP/1.1\r\nHost: site.test\r\n\r\n"],
  [400, "an absolute target of another scheme", "GET ftp://site.test/ HTTP/1.1\r\nHost: site.test\r\n\r\n"],
  [405, "CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"],
  [417, "an unknown expectation", post("/", "abc", "Expect: a-pony\r\n")],
  [400, "two lengths that agree", post("/", "abc", "Content-Length: 3\r\n")],
  [400, "two lengths that differ", post("/", "abc", "Content-Length: 4\r\n")],
  [400, "a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc"],
  [400, "a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"],
  [
    400,
    "both framings",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  [400, "both framings the other way round", CHUNKED.slice(0, -2) + "Content-Length: 3\r\n\r\n0\r\n\r\n"],
  [501, "a coding besides chunked", CHUNKED.replace("chunked", "gzip, chunked") + "0\r\n\r\n"],
  [400, "chunked twice", CHUNKED.slice(0, -2) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  [OWN ? 501 : 400, "a coding called xchunked", CHUNKED.replace("chunked", "xchunked") + "0\r\n\r\n"],
  [400, "chunked in HTTP/1.0", CHUNKED.replace("1.1", "1.0") + "0\r\n\r\n"],
  [400, "a space before a colon", CHUNKED.replace("Encoding:", "Encoding :") + "0\r\n\r\n"],
  [400, "a folded line", get("/", "X: a\r\n b\r\n")],
  [400, "NUL in a value", get("/", "X: a\x00b\r\n")],
  [400, "a bare carriage return", get("/", "X: a\rX-Evil: b\r\n")],
  [400, "a control character", get("/", "X: a\x01b\r\n")],
  [400, "a method that is no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "HTTP/0.9", "GET /\r\n\r\n"],
  [400, "a space in its path", get("/a b")],
  [400, "a fragment", get("/a#b")],
  [400, "a bad percent encoding", get("/%zz")],
  [400, "a path that climbs out of the root", get("/../x")],
  [400, "a path that climbs out of the root when decoded", get("/a/%2e%2e/%2E./x")],
  [OWN ? 431 : 400, "a megabyte of headers", get("/", `X: ${"x".repeat(1_000_000)}\r\n`)],
  [OWN ? 431 : 400, "a hundred thousand header lines", get("/", "X: y\r\n".repeat(100_000))],
];

Deno.test("a GET keeps its body, or is refused with 501 where the listener cannot carry it", async () => {
  for (
    const [framing, body] of [["Content-Length: 3", "abc"], ["Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"]]
  ) {
    const got = await pass(`GET / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`);
    assertEquals([got.status, got.requests.map((request) => text(request.body))], OWN ? [200, ["abc"]] : [501, []]);
  }
});

for (const [status, what, bytes] of REFUSED) {
  Deno.test(`a request with ${what} is refused with ${status} and goes nowhere`, async () => {
    const got = await pass(bytes);
    assertEquals([got.status, got.requests.length], [status, 0]);
  });
}

for (
  const chunks of ["zz\r\nabc\r\n0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\nabc\n0\n\n"]
    .concat("fffffffffffffffffff\r\nabc", "0x3\r\nabc\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3;a\nb\r\nabc\r\n0\r\n\r\n")
) {
  Deno.test(`a body of the chunks ${JSON.stringify(chunks)} never looks complete to the upstream`, async () => {
    const got = await pass(CHUNKED + chunks);
    assert([0, 400, 408, 499].includes(got.status), String(got.status));
    assertFalse(got.requests.some((request) => request.whole));
  });
}

Deno.test("chunk extensions and trailers of a client end at the proxy; the body goes on", async () => {
  const request = await passed(CHUNKED + "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n");
  assertEquals([text(request.body), request.whole], ["abcde", true]);
  assertFalse(request.head.includes("6.6.6.6"));
});

Deno.test("DELETE keeps its body, and the proxy responds to Expect: 100-continue", async () => {
  assertEquals(text((await passed(post("/", "abc").replace("POST", "DELETE"))).body), "abc");
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  const interim = await within(2000, "the interim answer", client.reader.answer());
  assertEquals(interim?.firstLine.split(" ")[1], "100");
  await client.send("abc");
  assertEquals(statusOf(await client.answer()), 200);
  assertEquals([text(upstream.requests[0].body), header(upstream.requests[0], "expect")], ["abc", undefined]);
});

Deno.test("an absolute target's authority counts, and its scheme is not believed", async () => {
  const request = await passed("GET https://other.test/x?y HTTP/1.1\r\nHost: site.test\r\n\r\n");
  assertEquals([request.firstLine, header(request, "host")], ["GET /x?y HTTP/1.1", "other.test"]);
  assertEquals([header(request, "x-forwarded-host"), header(request, "x-forwarded-proto")], ["other.test", "http"]);
});

Deno.test("paths and queries pass byte for byte", async () => {
  for (
    const target of ["/a/../b", "/a/%2e%2e/b", "//a//b", "/a%2Fb%2f", "/a;b=c", "/a|b", "/a?x=/../y?z&&=%zz", "/a?"]
      .concat("/%00", "/%C3%A9", "/%41", "/a//", "/?", "/{a}", "/a+b%20c")
  ) {
    assertEquals((await passed(get(target))).firstLine, `GET ${target} HTTP/1.1`);
  }
});

Deno.test("dot segments that lead into another route are refused, with strip_prefix too", async () => {
  await using open = ScriptedUpstream.answering(answerOf("open"));
  await using closed = ScriptedUpstream.answering(answerOf("closed"));
  await using proxy = await RunningProxy.start({
    upstreams: [open.url],
    proxy: {
      upstreams: [{ name: "open", url: open.url }, { name: "closed", url: closed.url }],
      routes: [
        { path: "/open/", upstream: "open", strip_prefix: true },
        { path: "/admin/", upstream: "closed" },
        { path: "/", upstream: "open" },
      ],
    },
  });
  for (
    const target of ["/open/../admin/x", "/open/%2e%2e/admin/x", "/open/.%2E/admin/x", "/x/../admin/x", "/admin/../x"]
      .concat("/open/../../x", "/open/%2e%2e/%2e%2e/etc/passwd", "/%6fpen/../%61dmin/x", "/open/..")
  ) {
    assertEquals(statusOf(await exchange(proxy.port, get(target))), 400, target);
  }
  assertEquals([open.requests.length, closed.requests.length], [0, 0]);
  assertEquals(text((await exchange(proxy.port, get("/%61dmin/x"))).body), "closed");
  assertEquals(statusOf(await exchange(proxy.port, get("/open/a/../b"))), 200);
  assertEquals(open.requests[0].firstLine, "GET /a/../b HTTP/1.1");
});

const SPOOFED = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\n" +
  "X-Forwarded-Port: 666\r\nX-Forwarded-Prefix: /evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n" +
  "X-Request-Id: forged\r\nVia: 1.0 evil\r\n";

const OWN_FIELDS: readonly [lowerName: string, value: string][] = [
  ["x-forwarded-for", "127.0.0.1"],
  ["x-forwarded-proto", "http"],
  ["x-forwarded-host", "site.test"],
  ["x-real-ip", "127.0.0.1"],
];

function assertOwn(request: ReceivedMessage): void {
  for (const [name, value] of OWN_FIELDS) assertEquals(headerAll(request, name), [value], name);
  assertEquals(headerAll(request, "x-request-id").length, 1);
  // Request ids and the mark in Via are random and may well hold the digits.
  const rest = request.head.replace(/^(?:x-request-id: [0-9a-z-]+|via: .*)\r?$/gim, "");
  assertFalse(/6\.6\.6\.6|evil\.test|666|\/evil|forged/.test(rest), request.head);
}

Deno.test("what a stranger says of its own address is replaced", async () => {
  assertOwn(await passed(get("/", SPOOFED)));
  assertOwn(await passed(get("/", SPOOFED + SPOOFED)));
  const forwarded = await passed(get("/", SPOOFED), undefined, { add_forwarded: true });
  assertEquals(headerAll(forwarded, "forwarded"), ["for=127.0.0.1;host=site.test;proto=http"]);
});

Deno.test("names with underscores that servers could take for the proxy's own are dropped", async () => {
  const variants = "X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_For: 6.6.6.6\r\nX_Forwarded-Host: evil.test\r\n" +
    "X_Real_IP: 6.6.6.6\r\nX_Request_Id: forged\r\nContent_Length: 666\r\nTransfer_Encoding: chunked666\r\n";
  const request = await passed(get("/", variants + "My_Field: stays\r\n"));
  assertOwn(request);
  assertEquals(header(request, "my_field"), "stays");
});

Deno.test("Connection cannot strip what the proxy adds, and strips what else it names", async () => {
  const named =
    "X-Forwarded-For, x-real-ip, X-Forwarded-Proto, x-forwarded-host, x-request-id, via, host, x-mine, close";
  const request = await passed(
    get("/", `Connection: ${named}\r\nX-Mine: 1\r\nX-Theirs: 2\r\nKeep-Alive: timeout=9\r\n`),
  );
  assertOwn(request);
  assertEquals(header(request, "host"), "site.test");
  assertMatch(header(request, "via") ?? "", /^1\.1 bws-[0-9a-f]{16}$/);
  assertEquals([header(request, "x-mine"), header(request, "x-theirs")], [undefined, "2"]);
  for (const gone of ["connection", "keep-alive"]) assertEquals(header(request, gone), undefined);
  const body = await passed(post("/", "abc", "Connection: content-length, transfer-encoding\r\n"));
  assertEquals([text(body.body), body.whole], ["abc", true]);
});

Deno.test("what a trusted proxy says is believed and extended", async () => {
  const lines =
    "X-Forwarded-For: 6.6.6.6, 2001:db8::7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer.test\r\n" +
    'Forwarded: for="[2001:db8::7]";proto=https\r\nX-Request-Id: outer-1\r\n';
  const request = await passed(get("/", lines), { trusted_proxies: ["127.0.0.0/8"] }, { add_forwarded: true });
  assertEquals(header(request, "x-forwarded-for"), "6.6.6.6, 2001:db8::7, 127.0.0.1");
  assertEquals([header(request, "x-forwarded-proto"), header(request, "x-forwarded-host")], ["https", "outer.test"]);
  assertEquals([header(request, "x-real-ip"), header(request, "x-request-id")], ["2001:db8::7", "outer-1"]);
  assertEquals(
    header(request, "forwarded"),
    'for="[2001:db8::7]";proto=https, for=127.0.0.1;host=site.test;proto=http',
  );
});

Deno.test("Forwarded quotes an IPv6 peer, and a host with a port", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    site: { listen: "::1" },
    proxy: { headers: { add_forwarded: true } },
  });
  using conn = await Deno.connect({ hostname: "::1", port: proxy.port });
  await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: site.test:81\r\n\r\n"));
  await until("the request is there", () => upstream.requests.length === 1);
  const [request] = upstream.requests;
  assertEquals(header(request, "forwarded"), 'for="[::1]";host="site.test:81";proto=http');
  assertEquals([header(request, "x-forwarded-for"), header(request, "x-forwarded-port")], ["::1", "81"]);
});

Deno.test("a head of exactly the size of the send buffer arrives whole, whatever characters it has", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { timeout: { read: "1s" } } });
  using client = await RawClient.connect(proxy.port);
  await client.send(get("/", "X: \xe9\r\n"));
  await client.answer();
  const overhead = upstream.requests[0].head.length;
  for (let size = 2040; size <= 2056; size++) {
    await client.send(get("/", `X: \xe9${"x".repeat(size - overhead)}\r\n`));
    assertEquals(statusOf(await client.answer()), 200, `head of ${size} bytes`);
    assertStringIncludes(upstream.requests.at(-1)?.head ?? "", "x: \xe9xx");
  }
});

Deno.test("a body that is too large by its length is refused before anything goes upstream", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], site: { max_body_size: 1000 } });
  using client = await RawClient.connect(proxy.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
  // The runtime sends 100 by itself before it.
  assertEquals(statusOf(await within(2000, "an answer", client.answer())), 413);
  assertEquals([upstream.requests.length, upstream.connections], [0, 0]);
  assertEquals(statusOf(await exchange(proxy.port, post("/", "x".repeat(1000)))), 200);
});

Deno.test("a body that is too large by count is cut off, and never looks complete to the upstream", async () => {
  let whole = 0;
  await using upstream = ScriptedUpstream.start(async (peer) => {
    const request = await peer.request();
    if (request?.whole) whole++;
    await peer.send(answerOf("ok"));
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], site: { max_body_size: 100_000 } });
  using client = await RawClient.connect(proxy.port);
  await client.send(CHUNKED);
  for (let i = 0; i < 20; i++) await client.send(`4000\r\n${"x".repeat(0x4000)}\r\n`);
  assertEquals(statusOf(await within(3000, "an answer", client.answer())), 413);
  await until("the upstream's connection is closed", () => upstream.open === 0);
  assertEquals(whole, 0);
});

for (
  const [what, bytes] of [
    ["announces a body and sends none", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"],
    ["stops in the middle of a body with a length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"],
    ["announces chunks and sends none", CHUNKED],
    ["stops between chunks", CHUNKED + "3\r\nabc\r\n"],
  ]
) {
  Deno.test(`a client that ${what} gets 408 after timeout.client`, async () => {
    await using upstream = ScriptedUpstream.answering(answerOf("ok"));
    await using proxy = await RunningProxy.start({
      upstreams: [upstream.url],
      proxy: { timeout: { client: "300ms" } },
    });
    using client = await RawClient.connect(proxy.port);
    await client.send(bytes);
    assertEquals(statusOf(await within(2500, "an answer", client.answer())), 408);
    assertFalse(upstream.requests.some((request) => request.whole));
    await until("the upstream's connection is closed", () => upstream.open === 0);
  });
}

// The runtime keeps a connection open whose body it still waits for, whatever the answer says about it.
Deno.test("a client that got 408 is cut off", { ignore: !OWN }, async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { timeout: { client: "300ms" } } });
  using client = await RawClient.connect(proxy.port);
  await client.send(CHUNKED + "3\r\nabc\r\n");
  assertEquals(statusOf(await within(2500, "an answer", client.answer())), 408);
  await within(2000, "the end of the connection", client.reader.end());
});

Deno.test("a slow client that keeps sending is not cut, and the upstream's silence does not count meanwhile", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { timeout: { client: "1s", read: "200ms" } },
  });
  using client = await RawClient.connect(proxy.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
  // In all longer than either; each wait is a fraction, so that a busy machine does not make it too long.
  for (const byte of "abcdef") {
    await new Promise((resolve) => setTimeout(resolve, 250));
    await client.send(byte);
  }
  assertEquals(statusOf(await client.answer()), 200);
  assertEquals(text(upstream.requests[0].body), "abcdef");
});

Deno.test("a client that never reads a large response is cut after timeout.client", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const piece = new Uint8Array(1_000_000);
    while (await peer.send(piece));
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { timeout: { client: "400ms" } } });
  using client = await RawClient.connect(proxy.port);
  await client.send(get("/"));
  await until("the answer is under way", () => proxy.inFlight === 1);
  await proxy.idle(5000);
  await until("the upstream's connection is closed", () => upstream.open === 0);
  // What is in the system's buffers still arrives; then the connection ends, short of its length.
  await within(5000, "the end of the connection", client.reader.end());
});

Deno.test("a client that leaves while it waits closes the upstream's connection at once", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  for (let round = 0; round < 5; round++) {
    const client = await RawClient.connect(proxy.port);
    await client.send(get("/"));
    await until("the upstream has the request", () => upstream.requests.length === round + 1);
    client.close();
    await until("the upstream's connection is closed", () => upstream.open === 0, 1000);
    await proxy.idle(1000);
  }
});

Deno.test("a client that leaves in the middle of a response closes the upstream's connection at once", async () => {
  await using upstream = ScriptedUpstream.start(async (peer, index) => {
    await peer.request();
    const isChunked = index % 2 === 0;
    await peer.send(`HTTP/1.1 200 OK\r\n${isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 1000"}\r\n\r\n`);
    await peer.send(isChunked ? "5\r\nhello\r\n" : "hello");
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  for (let round = 0; round < 6; round++) {
    const client = await RawClient.connect(proxy.port);
    await client.send(get("/"));
    await client.reader.head();
    client.close();
    await until("the upstream's connection is closed", () => upstream.open === 0, 1000);
    await proxy.idle(1000);
  }
});

Deno.test("a client that leaves in the middle of its body leaves the upstream without a complete request", async () => {
  let whole = 0;
  await using upstream = ScriptedUpstream.start(async (peer) => {
    const request = await peer.request();
    if (request?.whole) whole++;
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  for (const bytes of [post("/", "abc").replace("Length: 3", "Length: 30"), CHUNKED + "3\r\nabc\r\n", CHUNKED]) {
    const before = upstream.connections;
    const client = await RawClient.connect(proxy.port);
    await client.send(bytes);
    await until("the upstream has a connection", () => upstream.connections > before);
    client.close();
    await until("the upstream's connection is closed", () => upstream.open === 0, 1000);
    await proxy.idle(1000);
  }
  assertEquals(whole, 0);
});

Deno.test("bytes behind a body are the next request, and only that", async () => {
  const request = await passed(post("/", "abc") + "XYZ");
  assertEquals([text(request.body), request.whole], ["abc", true]);
});

Deno.test("pipelined requests get their responses in order", async () => {
  await using upstream = ScriptedUpstream.answering((request) => answerOf(request.firstLine.split(" ")[1]));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  await client.send(Array.from({ length: 20 }, (_, i) => i % 3 === 0 ? post(`/${i}`, "abc") : get(`/${i}`)).join(""));
  for (let i = 0; i < 20; i++) assertEquals(text((await client.answer()).body), `/${i}`);
});

Deno.test("a head smuggled into a header value or a query goes nowhere as one", async () => {
  for (const bytes of [get("/", "X: a%0d%0aX-Evil: 1\r\n"), get("/?a=%0d%0aX-Evil:%201")]) {
    const request = await passed(bytes);
    assertEquals(header(request, "x-evil"), undefined);
    assertMatch(request.head, /%0d%0a/);
  }
});

Deno.test("heads of 8 kB and 99 lines pass", async () => {
  assertEquals(header(await passed(get("/", `X: ${"x".repeat(8192)}\r\n`)), "x")?.length, 8192);
  const lines = Array.from({ length: 98 }, (_, i) => `X-${i}: ${i}\r\n`).join("");
  assertEquals(header(await passed(get("/", lines)), "x-97"), "97");
});

testEachListener(
  "HTTP/2 bodies of unknown length go on, with a Host field beside the authority too",
  async (listener) => {
    await using upstream = ScriptedUpstream.answering(answerOf("ok"));
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener } });
    const session = connect(`http://127.0.0.1:${proxy.port}`);
    try {
      // BWS's own listener takes no Host that differs from the authority (RFC 9113, section 8.3.1).
      const host = listener === "own" ? `127.0.0.1:${proxy.port}` : "site.test";
      for (const fields of [{}, { host }]) {
        for (const method of ["POST", "DELETE"]) {
          const stream = session.request({ ":method": method, ":path": "/x", ...fields }, { endStream: false });
          const ended = new Promise((resolve, reject) => stream.on("error", reject).on("close", resolve));
          stream.resume().end("abc");
          await within(3000, "an answer", ended);
          const request = upstream.requests.pop();
          assertEquals([request?.firstLine, text(request?.body as Uint8Array)], [`${method} /x HTTP/1.1`, "abc"]);
        }
      }
    } finally {
      session.destroy();
    }
  },
);

Deno.test("methods other than GET pass without a body", async () => {
  for (const method of ["POST", "DELETE", "OPTIONS", "PURGE"]) {
    const request = await passed(get("/").replace("GET", method));
    assertEquals([request.body.length, header(request, "transfer-encoding")], [0, undefined], method);
  }
});

Deno.test("OPTIONS * reaches the upstream as it came", async () => {
  assertEquals((await passed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")).firstLine, "OPTIONS * HTTP/1.1");
});

Deno.test("a client that stops sending while the response to its upload is under way is cut after timeout.client", async () => {
  await using silent = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({
    upstreams: [silent.url],
    proxy: { timeout: { client: "300ms" } },
  });
  using client = await RawClient.connect(proxy.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\nabc");
  await until("the exchange begins", () => proxy.generation.underWay === 1);
  await until("the exchange is cut", () => proxy.generation.underWay === 0, 3000);
});
