// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "node:http2";
import { until, within } from "../support/condition.ts";
import { testEachListener } from "../support/each_listener.ts";
import { OWN } from "../support/listener_in_use.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { header, headerAll, statusOf, text } from "../support/message_reader.ts";
import { exchange, get, head, post, RawClient } from "../support/raw_client.ts";
import { configOf, RunningProxy, type RunningProxyOptions } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
import { createHandler } from "../../mod.ts";

/** The bytes of text in UTF-8, one character for each byte, as a raw client sends them. */
const EURO = "\xe2\x82\xac";

async function reached(bytes: string, options: Partial<RunningProxyOptions> = {}) {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], ...options });
  using client = await RawClient.connect(proxy.port);
  await client.send(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
  const answer = await within(3000, "an answer", client.answer());
  return { status: statusOf(answer), answer, requests: upstream.requests };
}

for (
  const [what, reply] of [
    ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["without a length", "HTTP/1.1 200 OK\r\n\r\n"],
    ["not modified", 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'],
    ["without content", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["with an error in chunks", "HTTP/1.1 500 Some\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ]
) {
  Deno.test(`a response to HEAD has no Content-Length where the upstream sends ${what}`, async () => {
    await using upstream = ScriptedUpstream.answering(reply);
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
    using client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 2; i++) {
      await client.send(head("/"));
      const got = await within(2000, "an answer", client.answer("HEAD"));
      assertEquals(statusOf(got), Number(reply.split(" ")[1]));
      assertEquals([header(got, "content-length"), header(got, "transfer-encoding")], [undefined, undefined]);
    }
  });
}

Deno.test("a response to HEAD has the Content-Length of the upstream", async () => {
  await using upstream = ScriptedUpstream.answering("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  assertEquals(header(await exchange(proxy.port, head("/"), "HEAD"), "content-length"), "12");
  const error = await exchange(proxy.port, head("/"), "HEAD");
  assertEquals(error.body.length, 0);
});

Deno.test("a handler inside another program gives no length of its own to a response to HEAD", async () => {
  await using upstream = ScriptedUpstream.answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  const handler = createHandler(configOf({ upstreams: [upstream.url] }));
  const response = await handler(new Request("http://site.test/", { method: "HEAD" }));
  assertEquals([response.status, response.headers.get("content-length")], [200, null]);
  assertEquals(await response.text(), "");
  await handler.close();
});

Deno.test("a request without Host goes to the default site", async () => {
  const { status, requests } = await reached("GET /api/x HTTP/1.0\r\n\r\n");
  assertEquals([status, requests[0].firstLine], [200, "GET /api/x HTTP/1.1"]);
  assertMatch(header(requests[0], "host") ?? "", /^localhost:\d+$/);
  assertEquals((await reached("OPTIONS / HTTP/1.0\r\n\r\n")).status, 200);
});

// HTTP/1.1 asks for Host (RFC 9112, section 3.2), but the runtime does not tell the versions apart.
Deno.test("an HTTP/1.1 request without Host is refused with 400", { ignore: !OWN }, async () => {
  assertEquals((await reached("GET / HTTP/1.1\r\n\r\n")).status, 400);
});

testEachListener("HTTP/2 without TLS to localhost and its port gets a response", async (listener) => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener } });
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  try {
    const stream = session.request({ ":path": "/x", ":authority": `localhost:${proxy.port}` });
    assertEquals(await within(3000, "an answer", http2Status(stream)), 200);
    assertEquals(header(upstream.requests[0], "host"), `localhost:${proxy.port}`);
  } finally {
    session.destroy();
  }
});

for (const method of ["GET", "HEAD"]) {
  testEachListener(`HTTP/2 without TLS: a ${method} with a body is never cut, announced or not`, async (listener) => {
    const withBody = listener === "own" ? 200 : 501;
    await using upstream = ScriptedUpstream.answering(answerOf("ok"));
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener } });
    const tried = [[{}, "abc", withBody], [{ "content-length": "3" }, "abc", withBody], [{}, "", 200]];
    for (const [fields, body, expected] of tried) {
      const session = connect(`http://127.0.0.1:${proxy.port}`);
      try {
        const stream = session.request({ ":method": method, ":path": "/x", ...fields as object }, {
          endStream: body === "",
        });
        if (body !== "") stream.end(body);
        assertEquals(await within(3000, "an answer", http2Status(stream)), expected, JSON.stringify(fields));
      } finally {
        session.destroy();
      }
    }
    const bodies = upstream.requests.map(({ body }) => new TextDecoder().decode(body));
    assertEquals(bodies, listener === "own" ? ["abc", "abc", ""] : [""]);
  });
}

function http2Status(stream: ReturnType<ReturnType<typeof connect>["request"]>): Promise<number> {
  return new Promise((resolve, reject) => {
    let status = 0;
    stream.on("response", (fields) => status = Number(fields[":status"]));
    stream.on("error", reject).on("close", () => resolve(status)).resume();
  });
}

Deno.test("raw UTF-8 in the target goes on percent-encoded, and meets routes as such", async () => {
  const { requests } = await reached(get(`/a${EURO}b/%e2%82%ac?q=${EURO}`));
  assertEquals(requests[0].firstLine, "GET /a%E2%82%ACb/%e2%82%ac?q=%E2%82%AC HTTP/1.1");
});

Deno.test("a scheme in capitals is the same scheme, and the target's authority counts", async () => {
  for (const scheme of ["HTTP", "hTtP", "http"]) {
    const { status, requests } = await reached(`GET ${scheme}://other.test/a?b HTTP/1.1\r\nHost: site.test\r\n\r\n`);
    assertEquals([status, requests[0]?.firstLine, header(requests[0], "host")], [
      200,
      "GET /a?b HTTP/1.1",
      "other.test",
    ]);
  }
});

Deno.test("an empty Expect expects nothing", async () => {
  const { status, requests } = await reached(get("/", "Expect:\r\n"));
  assertEquals([status, header(requests[0], "expect")], [200, undefined]);
  assertEquals((await reached(post("/", "abc", "Expect: ,\r\n"))).status, 200);
});

// The runtime answers before the handler is called.
Deno.test("100 Continue is not sent to HTTP/1.0", { ignore: !OWN }, async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  await client.send(post("/", "abc", "Expect: 100-continue\r\n").replace("HTTP/1.1", "HTTP/1.0"));
  assertEquals((await client.reader.answer())?.firstLine.split(" ")[1], "200");
});

Deno.test("Max-Forwards: 0 ends TRACE and OPTIONS here; more is counted down, and other methods are not concerned", async () => {
  const request = (method: string, value: string) => get("/x", `Max-Forwards: ${value}\r\n`).replace("GET", method);
  const options = await reached(request("OPTIONS", "0"));
  assertEquals([options.status, options.requests.length], [204, 0]);
  const trace = await reached(request("TRACE", "0"));
  assertEquals([trace.status, trace.requests.length], [405, 0]);
  for (
    const [method, value, sent] of [["OPTIONS", "5", "4"], ["TRACE", "1", "0"], ["GET", "0", "0"], [
      "OPTIONS",
      "x",
      "x",
    ]]
  ) {
    const { status, requests } = await reached(request(method, value));
    assertEquals([status, header(requests[0], "max-forwards")], [200, sent], `${method} ${value}`);
  }
});

Deno.test("a request with Max-Forwards: 0 gets the methods of a route that has a list of them", async () => {
  const routes = [{ path: "/", upstream: "app", methods: ["GET", "OPTIONS"] }];
  const { answer } = await reached(get("/", "Max-Forwards: 0\r\n").replace("GET", "OPTIONS"), { proxy: { routes } });
  assertEquals(header(answer, "allow"), "GET, OPTIONS");
});

Deno.test("TE ends here, but for trailers where the listener can send them", async () => {
  const { requests } = await reached(get("/", "TE: trailers, gzip\r\nConnection: TE\r\n"));
  const passed = OWN ? [["trailers"], ["te"]] : [[], []];
  assertEquals([headerAll(requests[0], "te"), headerAll(requests[0], "connection")], passed);
});

Deno.test("refused requests are in the log with their path as any other, and their site where it is known", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await LoggedProxy.start({ upstreams: [upstream.url], site: { name: "shop" } });
  const cases: [bytes: string, path: string, site: string, host: string][] = [
    [`GET /stra\xc3\x9fe#f HTTP/1.1\r\nHost: x\r\n\r\n`, "/stra%C3%9Fe%23f", "shop", "x"],
    [get("/body", "Content-Length: 3\r\n") + "abc", "/body", "shop", "site.test"],
    [get("/expect?a=1", "Expect: pony\r\n"), "/expect?a=1", "shop", "site.test"],
    ["GET /host HTTP/1.1\r\nHost: a/b\r\n\r\n", "/host", "", "a/b"],
    ["GET ftp://site.test/scheme HTTP/1.1\r\nHost: site.test\r\n\r\n", "/scheme", "shop", "site.test"],
    [
      "GET http://other.test/absolute HTTP/1.1\r\nHost: site.test\r\nExpect: a\r\n\r\n",
      "/absolute",
      "shop",
      "other.test",
    ],
  ];
  for (const [bytes, path, site, host] of cases) {
    using client = await RawClient.connect(proxy.port);
    await client.send(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
    await within(2000, "an answer", client.reader.answer());
    if (path.includes("%23")) continue;
    const line = await proxy.accessLine(path);
    assertEquals([line.site, line.host], [site, host], bytes);
  }
});

const HEADERS = { "X-Frame-Options": "DENY", "X-Site": "1" };
const PROXY_HEADERS = { response: { set: { "x-frame-options": "SAMEORIGIN" } } };

Deno.test("every kind of response has each field of the site once, and one request id", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/a.txt`, "a");
  await Deno.mkdir(`${folder}/folder`);
  await Deno.writeTextFile(`${folder}/folder/index.html`, "a");
  await using upstream = ScriptedUpstream.answering((request) =>
    answerOf("ok", request.firstLine.includes("/own") ? "X-Request-Id: theirs\r\nX-Site: 2\r\n" : "")
  );
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    site: { headers: HEADERS, static_dir: folder, internal_api: true },
    proxy: {
      headers: PROXY_HEADERS,
      routes: [{ path: "/up", upstream: "app" }, { path: "/ws", upstream: "app", websocket: true }],
    },
  });
  try {
    const handshake = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const cases: [bytes: string, status: number, frame: string][] = [
      [get("/up"), 200, "SAMEORIGIN"],
      [get("/up/own"), 200, "SAMEORIGIN"],
      [get("/ws", handshake), 200, "SAMEORIGIN"],
      [get("/ws", handshake.replace("13", "12")), 426, "DENY"],
      [get("/a.txt"), 200, "DENY"],
      [get("/folder"), 301, "DENY"],
      [get("/none"), 404, "DENY"],
      [get("/api/health/live"), 200, "DENY"],
      [get("/up", "Expect: pony\r\n"), 417, "DENY"],
      OWN
        ? [get("/up", "Content-Length: 3\r\n") + "abc", 200, "SAMEORIGIN"]
        : [get("/up", "Content-Length: 3\r\n") + "abc", 501, "DENY"],
    ];
    for (const [bytes, status, frame] of cases) {
      const got = await exchange(proxy.port, bytes);
      const kind = `${got.firstLine} to ${bytes.split("\r\n")[0]}`;
      assertEquals(statusOf(got) === 308 ? 301 : statusOf(got), status, kind);
      assertEquals([headerAll(got, "x-frame-options"), headerAll(got, "x-site")], [[frame], ["1"]], kind);
      assertEquals(headerAll(got, "x-request-id").length, 1, kind);
      assertEquals(headerAll(got, "x-request-id")[0] === "theirs", bytes.includes("/own"), kind);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (
  const [what, options, expected] of [
    ["set by [sites.headers]", { site: { headers: { "x-request-id": "fixed" } } }, ["fixed"]],
    ["taken away by headers.response.remove", { proxy: { headers: { response: { remove: ["X-Request-Id"] } } } }, []],
    ["taken away by headers.remove", { proxy: { headers: { remove: ["X-Request-Id"] } } }, []],
  ] as const
) {
  Deno.test(`the request id is ${what} on every kind of response`, async () => {
    await using upstream = ScriptedUpstream.answering((request) =>
      answerOf("ok", request.firstLine.includes("/own") ? "X-Request-Id: theirs\r\n" : "")
    );
    const { site, proxy: { headers } = { headers: undefined } } = options as {
      site?: RunningProxyOptions["site"];
      proxy?: { headers: NonNullable<RunningProxyOptions["proxy"]>["headers"] };
    };
    await using proxy = await RunningProxy.start({
      upstreams: [upstream.url],
      site: { ...site, internal_api: true },
      proxy: { headers, routes: [{ path: "/up", upstream: "app" }] },
    });
    for (const target of ["/up", "/up/own", "/none", "/api/health/live", "/api/health"]) {
      assertEquals(headerAll(await exchange(proxy.port, get(target)), "x-request-id"), [...expected], target);
    }
    assertEquals(headerAll(await exchange(proxy.port, get("/", "Expect: pony\r\n")), "x-request-id"), [...expected]);
  });
}

Deno.test("request_id names the field everywhere, and decides whose id a response has", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok", "X-Trace: theirs\r\nX-Request-Id: other\r\n"));
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    server: { trusted_proxies: ["127.0.0.1"] },
    site: { request_id: { header: "X-Trace", trust: false } },
  });
  const got = await exchange(proxy.port, get("/", "X-Trace: outer-1\r\nX-Request-Id: passed\r\n"));
  assertEquals([headerAll(got, "x-trace"), headerAll(got, "x-request-id")], [["outer-1"], ["other"]]);
  const [request] = upstream.requests;
  assertEquals([headerAll(request, "x-trace"), headerAll(request, "x-request-id")], [["outer-1"], ["passed"]]);
  const failed = await exchange(proxy.port, get("/../x", "X-Trace: outer-2\r\n"));
  assertEquals([statusOf(failed), headerAll(failed, "x-trace")], [400, ["outer-2"]]);
  await until("both are over", () => proxy.generation.underWay === 0);
  assertEquals(text(got.body), "ok");
});
