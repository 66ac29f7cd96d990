// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { RequestHead } from "../../lib/http/message.ts";
import { Exchange } from "../../lib/proxy/exchange.ts";
import { forwardedElement, type RequestHeaderOptions, RequestHeaders } from "../../lib/proxy/request_headers.ts";

const PLAIN: RequestHeaderOptions = {
  addXForwarded: true,
  addForwarded: false,
  viaName: "bws",
  requestIdName: "x-request-id",
  set: [],
  add: [],
  remove: [],
};

function build(lines: string[], options: Partial<RequestHeaderOptions> = {}, trusted = false): string[] {
  const head: RequestHead = {
    method: "GET",
    path: "/x",
    query: "",
    authority: "example.com:8080",
    host: "example.com",
    scheme: "http",
    headers: ["host", "example.com:8080", ...lines],
    peer: { address: "9.9.9.9", port: 1 },
  };
  const client = { body: null, signal: new AbortController().signal };
  const exchange = new Exchange(head, client, { exchangeEnded: () => {} });
  exchange.requestId = "id-1";
  exchange.peerTrusted = trusted;
  const text = new RequestHeaders({ ...PLAIN, ...options }).build(exchange, "/x?y", "up:80", "");
  assertEquals(text.endsWith("\r\n\r\n"), true);
  return text.slice(0, -4).split("\r\n");
}

const OWN = [
  "x-forwarded-for: 9.9.9.9",
  "x-forwarded-proto: http",
  "x-forwarded-host: example.com:8080",
  "x-forwarded-port: 8080",
  "x-real-ip: 9.9.9.9",
  "via: 1.1 bws",
  "x-request-id: id-1",
];

Deno.test("RequestHeaders.build() passes lines on and adds the proxy's own", () => {
  assertEquals(build(["accept", "*/*", "cookie", "a=b"]), [
    ...["GET /x?y HTTP/1.1", "host: up:80", "accept: */*", "cookie: a=b"],
    ...OWN,
  ]);
});

Deno.test("RequestHeaders.build() ends hop-by-hop fields and what Connection names", () => {
  const lines = build([
    ...[
      "connection",
      "close, X-Secret, x-forwarded-for, host, via",
      "x-secret",
      "1",
      "keep-alive",
      "5",
      "te",
      "trailers",
    ],
    ...["upgrade", "h2c", "proxy-authorization", "Basic x", "trailer", "a", "accept", "b"],
  ]);
  assertEquals(lines, ["GET /x?y HTTP/1.1", "host: up:80", "accept: b", ...OWN]);
});

Deno.test("RequestHeaders.build() replaces what an unknown peer says of forwarding, in any spelling", () => {
  const lines = build([
    ...[
      "x-forwarded-for",
      "1.1.1.1",
      "x_forwarded_for",
      "1.1.1.1",
      "x-forwarded-user",
      "root",
      "x_forwarded_user",
      "root",
    ],
    ...[
      "x-real-ip",
      "1.1.1.1",
      "forwarded",
      "for=1.1.1.1",
      "x-forwarded-proto",
      "https",
      "x_real_ip",
      "1",
      "my_own",
      "kept",
    ],
  ]);
  assertEquals(lines, ["GET /x?y HTTP/1.1", "host: up:80", "my_own: kept", ...OWN]);
});

Deno.test("RequestHeaders.build() extends what a trusted peer says", () => {
  const lines = build(
    ["x-forwarded-for", "1.1.1.1", "x-forwarded-proto", "https", "forwarded", "for=1.1.1.1", "via", "1.1 front"],
    { addForwarded: true },
    true,
  );
  assertEquals(lines.slice(2), [
    "x-forwarded-for: 1.1.1.1, 9.9.9.9",
    "x-forwarded-proto: https",
    "x-forwarded-host: example.com:8080",
    "x-forwarded-port: 8080",
    "x-real-ip: 9.9.9.9",
    'forwarded: for=1.1.1.1, for=9.9.9.9;host="example.com:8080";proto=http',
    "via: 1.1 front, 1.1 bws",
    "x-request-id: id-1",
  ]);
});

Deno.test("RequestHeaders.build() without add_x_forwarded still believes no unknown peer", () => {
  const lines = ["x-forwarded-for", "1.1.1.1"];
  assertEquals(build(lines, { addXForwarded: false }).some((line) => line.startsWith("x-forwarded")), false);
  assertEquals(build(lines, { addXForwarded: false }, true).includes("x-forwarded-for: 1.1.1.1"), true);
});

Deno.test("RequestHeaders.build() sets, adds and removes", () => {
  const lines = build(["a", "1", "b", "2", "c", "3"], {
    set: ["A", "new", "X-Real-IP", "hidden"],
    add: ["B", "more"],
    remove: ["c", "via", "x-forwarded-port"],
  });
  assertEquals(lines.slice(2), [
    "b: 2",
    ...[
      "x-forwarded-for: 9.9.9.9",
      "x-forwarded-proto: http",
      "x-forwarded-host: example.com:8080",
      "x-request-id: id-1",
    ],
    ...["A: new", "X-Real-IP: hidden", "B: more"],
  ]);
});

Deno.test("forwardedElement() quotes and brackets as RFC 7239 asks", () => {
  assertEquals(forwardedElement("2001:db8::1", "[::1]:80", "https"), 'for="[2001:db8::1]";host="[::1]:80";proto=https');
  assertEquals(forwardedElement("::ffff:1.2.3.4", "a.b", "http"), "for=1.2.3.4;host=a.b;proto=http");
  assertEquals(forwardedElement("", "a", "http"), "for=unknown;host=a;proto=http");
});

Deno.test("RequestHeaders.build() sends one Host, the config's where it sets one", () => {
  const lines = build([], { set: ["Host", "internal"] });
  assertEquals(lines.filter((line) => /^host:/i.test(line)), ["host: internal"]);
});
