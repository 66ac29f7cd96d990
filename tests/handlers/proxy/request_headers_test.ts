// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { RequestHead } from "../../../lib/http/message.ts";
import { givenId } from "../../../lib/http/request_id.ts";
import { Exchange } from "../../../lib/exchange/exchange.ts";
import { ProxyTrust } from "../../../lib/http/client_address.ts";
import { readForwardedClient } from "../../../lib/http/forwarded_client.ts";
import type { HeadersConfig } from "../../../lib/handlers/proxy/config/headers_schema.ts";
import { HeadWriter } from "../../../lib/http1/head_writer.ts";
import { RequestHeaders } from "../../../lib/handlers/proxy/request_headers.ts";

const UNCHANGED = { set: {}, add: {}, remove: [] };
const PLAIN: HeadersConfig = {
  ...{ add_x_forwarded: true, add_forwarded: false, add: {}, remove: [] },
  ...{ request: UNCHANGED, response: UNCHANGED },
};
const NAMES = { viaName: "bws", requestIdName: "x-request-id" };

function build(
  lines: string[],
  config: Partial<HeadersConfig> = {},
  trusted = false,
  { prefix = "", method = "GET", upgrade = "", tunnels = false } = {},
): string[] {
  const head: RequestHead = {
    method,
    path: "/x",
    query: "",
    authority: "example.com:8080",
    host: "example.com",
    scheme: "http",
    headers: ["host", "example.com:8080", ...lines],
    peer: { address: "9.9.9.9", port: 1 },
  };
  const client = { body: null, signal: new AbortController().signal, tunnels };
  const exchange = new Exchange(head, client, { exchangeEnded: () => {} });
  exchange.id = givenId("id-1");
  if (trusted) {
    exchange.forwarded = readForwardedClient(head.headers, "9.9.9.9", new ProxyTrust(["9.9.9.9", "8.0.0.0/8"]));
    exchange.clientAddress = exchange.forwarded.address;
  }
  const out = new HeadWriter();
  new RequestHeaders({ ...PLAIN, ...config }, NAMES).write(out, exchange, "/x?y", "up:80", "", prefix, upgrade);
  const text = out.toText();
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

Deno.test("RequestHeaders.write() passes lines on and adds the proxy's own", () => {
  assertEquals(build(["accept", "*/*", "cookie", "a=b"]), [
    ...["GET /x?y HTTP/1.1", "host: up:80", "accept: */*", "cookie: a=b"],
    ...OWN,
  ]);
});

Deno.test("RequestHeaders.write() ends hop-by-hop fields and what Connection names", () => {
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

Deno.test("RequestHeaders.write() replaces what an unknown peer says of forwarding, in any spelling", () => {
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

Deno.test("RequestHeaders.write() extends what a trusted peer says", () => {
  const lines = build(
    ["x-forwarded-for", "1.1.1.1", "x-forwarded-proto", "https", "forwarded", "for=1.1.1.1", "via", "1.1 front"],
    { add_forwarded: true },
    true,
  );
  assertEquals(lines.slice(2), [
    "x-forwarded-for: 1.1.1.1, 9.9.9.9",
    "x-forwarded-proto: https",
    "x-forwarded-host: example.com:8080",
    "x-forwarded-port: 8080",
    "x-real-ip: 1.1.1.1",
    'forwarded: for=1.1.1.1, for=9.9.9.9;host="example.com:8080";proto=http',
    "via: 1.1 front, 1.1 bws",
    "x-request-id: id-1",
  ]);
});

Deno.test("RequestHeaders.write() without add_x_forwarded still believes no unknown peer", () => {
  const lines = ["x-forwarded-for", "1.1.1.1"];
  assertEquals(build(lines, { add_x_forwarded: false }).some((line) => line.startsWith("x-forwarded")), false);
  assertEquals(build(lines, { add_x_forwarded: false }, true).includes("x-forwarded-for: 1.1.1.1"), true);
});

Deno.test("RequestHeaders.write() sets, adds and removes", () => {
  const lines = build(["a", "1", "b", "2", "c", "3"], {
    request: { set: { A: "new", "X-Real-IP": "hidden" }, add: { B: "more" }, remove: ["via", "x-forwarded-port"] },
    add: { D: "in both directions" },
    remove: ["c"],
  });
  assertEquals(lines.slice(2), [
    "b: 2",
    ...[
      "x-forwarded-for: 9.9.9.9",
      "x-forwarded-proto: http",
      "x-forwarded-host: example.com:8080",
      "x-request-id: id-1",
    ],
    ...["A: new", "X-Real-IP: hidden", "D: in both directions", "B: more"],
  ]);
});

Deno.test("RequestHeaders.write() sends one Host, the config's where it sets one", () => {
  const lines = build([], { request: { ...UNCHANGED, set: { Host: "internal" } } });
  assertEquals(lines.filter((line) => /^host:/i.test(line)), ["host: internal"]);
});

const LOOK_ALIKES = [
  ...["x_forwarded_for", "x.forwarded.for", "x~forwarded~for", "x-forwarded.for", "x|forwarded|user", "x^real`ip"],
  ...["proxy", "x!real!ip", "forwarded.", "x-forwarded", "x.forwarded", "host_", "content.length", "x'request'id"],
  ...["transfer$encoding", "x_my_user", "x.my.user", "x*my*token"],
];

Deno.test("RequestHeaders.write() passes no name that a CGI program would take for a trusted one", () => {
  const config = { request: { set: { "X-My-User": "config" }, add: {}, remove: ["x-my-token"] } };
  const trustedOnly = new Set(["x-forwarded"]);
  for (const name of LOOK_ALIKES) {
    // Behind its last letter CGI sees one more character, so that it is another name.
    const passes = name === "forwarded." || name === "host_";
    for (const trusted of [false, true]) {
      const lines = build([name, "6.6.6.6"], config, trusted);
      const kept = passes || (trusted && trustedOnly.has(name));
      assertEquals(lines.includes(`${name}: 6.6.6.6`), kept, `${name} ${trusted}`);
    }
  }
  assertEquals(build(["my.own", "1", "my_own", "2"]).slice(2, 4), ["my.own: 1", "my_own: 2"]);
});

Deno.test("RequestHeaders.write() remembers names within a bound, and judges them alike each time", () => {
  const names = Array.from({ length: 3000 }, (_, i) => [`x-${i}`, "1", `x_forwarded_${i}`, "1"]).flat();
  const lines = build([...names, "x_real_ip", "1", ...names, `x_forwarded_${"y".repeat(200)}`, "1"]);
  assertEquals(lines.filter((line) => line.startsWith("x-") && !line.startsWith("x-forwarded")).length, 6002);
  assertEquals(lines.some((line) => line.startsWith("x_")), false);
});

/** What goes upstream when a trusted peer tells `lines`. */
function told(lines: string[], config: Partial<HeadersConfig> = {}): Record<string, string> {
  const out = build(lines, { add_forwarded: true, ...config }, true).slice(2);
  return Object.fromEntries(out.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
}

Deno.test("RequestHeaders.write() sends the port of the forwarded authority, else of the forwarded scheme", () => {
  const cases: [lines: string[], port: string][] = [
    [["x-forwarded-proto", "https", "x-forwarded-host", "www.example.com"], "443"],
    [["x-forwarded-proto", "https", "x-forwarded-host", "www.example.com:8443"], "8443"],
    [["x-forwarded-proto", "http", "x-forwarded-host", "www.example.com"], "80"],
    [["x-forwarded-proto", "https", "x-forwarded-port", "444", "x-forwarded-host", "a:1"], "444"],
    [["x-forwarded-proto", "https, http", "x-forwarded-host", "a, b:1"], "443"],
    [["x-forwarded-host", "[2001:db8::1]", "x-forwarded-proto", "wss"], "443"],
    [["forwarded", "for=1.1.1.1;proto=https;host=www.example.com"], "443"],
    [["forwarded", 'for=1.1.1.1;proto=https;host="www.example.com:8443"'], "8443"],
    [["x-forwarded-proto", "https"], "8080"],
  ];
  for (const [lines, port] of cases) assertEquals(told(lines)["x-forwarded-port"], port, lines.join(" "));
});

Deno.test("RequestHeaders.write() reads a trusted Forwarded, and all fields agree", () => {
  const value =
    'for="[2001:db8::7]:4711";proto=https;host="www.example.com", FOR=8.1.1.1;by=8.8.8.8;proto=http;host=in';
  const got = told(["forwarded", value]);
  assertEquals(got["x-forwarded-for"], "2001:db8::7, 8.1.1.1, 9.9.9.9");
  assertEquals(got["x-real-ip"], "2001:db8::7");
  assertEquals([got["x-forwarded-proto"], got["x-forwarded-host"], got["x-forwarded-port"]], [
    "https",
    "www.example.com",
    "443",
  ]);
  assertEquals(got.forwarded, `${value}, for=9.9.9.9;host="example.com:8080";proto=http`);
});

Deno.test("RequestHeaders.write() does not believe what stands left of an untrusted node in Forwarded", () => {
  const got = told(["forwarded", "for=6.6.6.6;proto=https;host=evil.test, for=1.1.1.1;proto=http;host=site.test"]);
  assertEquals([got["x-real-ip"], got["x-forwarded-host"], got["x-forwarded-proto"]], ["1.1.1.1", "site.test", "http"]);
});

Deno.test("RequestHeaders.write() makes Forwarded of X-Forwarded-*, and of X-Real-IP what else there is", () => {
  const got = told([
    "x-forwarded-for",
    "2001:db8::7, 8.1.1.1",
    "x-forwarded-proto",
    "https",
    "x-forwarded-host",
    "a:1",
  ]);
  assertEquals(
    got.forwarded,
    'for="[2001:db8::7]";host="a:1";proto=https, for=8.1.1.1, for=9.9.9.9;host="example.com:8080";proto=http',
  );
  const real = told(["x-real-ip", "1.1.1.1", "x-forwarded-proto", "https"]);
  assertEquals([real["x-forwarded-for"], real["x-real-ip"]], ["1.1.1.1, 9.9.9.9", "1.1.1.1"]);
  const own = told(["x-forwarded-proto", "https", "x-forwarded-host", "www.example.com"]);
  assertEquals(own.forwarded, "for=9.9.9.9;host=www.example.com;proto=https");
});

Deno.test("RequestHeaders.write() believes X-Forwarded-For where Forwarded names another client, or is malformed", () => {
  for (const forwarded of ["for=6.6.6.6", 'for="6.6.6.6', "for=6.6.6.6;for=1.1.1.1", "nonsense"]) {
    const lines = ["x-forwarded-for", "1.1.1.1", "x-forwarded-proto", "https", "forwarded", forwarded];
    const got = told(lines);
    assertEquals(got["x-real-ip"], "1.1.1.1");
    assertEquals(got.forwarded, 'for=1.1.1.1;proto=https, for=9.9.9.9;host="example.com:8080";proto=http', forwarded);
    assertEquals(told(lines, { add_forwarded: false }).forwarded, "for=1.1.1.1;proto=https", forwarded);
  }
});

Deno.test("RequestHeaders.write() sends the prefix that the route removes, after the prefix from a trusted peer", () => {
  const prefixed = (lines: string[], trusted: boolean) =>
    build(lines, {}, trusted, { prefix: "/app" }).filter(isPrefix);
  assertEquals(prefixed([], false), ["x-forwarded-prefix: /app"]);
  assertEquals(prefixed(["x-forwarded-prefix", "/evil"], false), ["x-forwarded-prefix: /app"]);
  assertEquals(prefixed(["x-forwarded-prefix", "/outer/"], true), ["x-forwarded-prefix: /outer/app"]);
  assertEquals(build(["x-forwarded-prefix", "/outer"], {}, true).filter(isPrefix), ["x-forwarded-prefix: /outer"]);
});

function isPrefix(line: string): boolean {
  return line.startsWith("x-forwarded-prefix");
}

Deno.test("RequestHeaders.write() counts Max-Forwards down for OPTIONS and TRACE, and leaves the request's own lines as they are", () => {
  for (
    const [method, value, sent] of [["OPTIONS", "5", "4"], ["TRACE", "1", "0"], ["OPTIONS", "x", "x"], [
      "GET",
      "5",
      "5",
    ]]
  ) {
    const lines = ["max-forwards", value];
    assertEquals(build(lines, {}, false, { method })[2], `max-forwards: ${sent}`, method);
    assertEquals(lines, ["max-forwards", value]);
  }
});

Deno.test("RequestHeaders.write() puts a handshake of the proxy's own in place of the client's, and passes that on where it makes none", () => {
  const lines = ["sec-websocket-key", "k", "sec-websocket-version", "13", "sec-websocket-extensions", "x"];
  const sent = ["sec-websocket-key: k", "sec-websocket-version: 13", "sec-websocket-extensions: x"];
  assertEquals(build(lines).slice(2), [...sent, ...OWN]);
  const all = [...lines, "sec-websocket-protocol", "chat"];
  const own = build(all, {}, false, { upgrade: "sec-websocket-key: mine\r\n" });
  assertEquals(own.slice(2), ["sec-websocket-protocol: chat", ...OWN, "sec-websocket-key: mine"]);
  assertEquals(all.length, 8);
  const tunnelled = build(all, {}, false, { upgrade: "sec-websocket-key: k\r\n", tunnels: true });
  const passed = ["sec-websocket-extensions: x", "sec-websocket-protocol: chat"];
  assertEquals(tunnelled.slice(2), [...passed, ...OWN, "sec-websocket-key: k"]);
  const removed = { remove: ["sec-websocket-extensions"] };
  assertEquals(build(all, removed, false, { upgrade: "sec-websocket-key: k\r\n", tunnels: true })[2], passed[1]);
});
