// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { Exchange } from "../../lib/exchange/exchange.ts";
import { fieldText, fieldTexts } from "../../lib/exchange/field_text.ts";
import { PlaceholderText } from "../../lib/exchange/placeholders.ts";
import { givenId } from "../../lib/http/request_id.ts";
import { hostOf } from "../../lib/http/authority.ts";

function exchange(headers: string[] = [], facts: Partial<Exchange> = {}): Exchange {
  const head = {
    ...{ method: "GET", path: "/a%20b", query: "?x=1&y=%0d%0aSet-Cookie:a&empty", authority: "h.example:81" },
    ...{ host: "h.example", scheme: "http" as const, headers, peer: { address: "192.0.2.7", port: 5000 } },
  };
  const made = new Exchange(head, { body: null, signal: new AbortController().signal }, { exchangeEnded() {} });
  return Object.assign(made, { id: givenId("id-1"), site: "shop", route: "/", ...facts });
}

/** The value of a field of a response. */
function value(source: string, of = exchange()): string {
  const text = fieldText(source, "responded");
  return typeof text === "string" ? text : text.value(of);
}

Deno.test("A value of a field without placeholders is text, whatever braces it has", () => {
  for (
    const text of [
      '{"group":"csp","max_age":10886400,"endpoints":[{"url":"https://r.example/{}"}]}',
      ...["{", "}", "{ host }", "{}", "{each}", "{a:b}", "${HOME}", "${path}", '</{?x}>; rel="search"', "{*}"],
    ]
  ) assertEquals(fieldText(text, "responded"), text);
});

Deno.test("Doubled braces are a placeholder's name as text", () => {
  assertEquals(fieldText("{{client.ip}} {{no.name}}", "responded"), "{client.ip} {no.name}");
  assertEquals(value("{{host}}={host}"), "{host}=h.example");
  assertEquals(value('{"ip":"{client.ip}"}'), '{"ip":"192.0.2.7"}');
});

Deno.test("Placeholders stand for facts of the exchange", () => {
  const of = exchange(["cookie", 'a=1; s="q"; b=x=y', "x-tag", "t", "x-tag", "u"], {
    ...{ upstream: "http://[::1]:3001/base", pool: "app", attempts: 2, status: 404, user: "ann", upstreamMs: 12.34 },
    client: {
      ...{ body: null, signal: new AbortController().signal },
      tls: { version: "TLSv1.3", cipher: "AES", serverName: "h" } as Exchange["client"]["tls"],
    },
  });
  const cases: Record<string, string> = {
    "{method} {scheme}://{host}:{port}{path}?{query.x} {protocol}": "GET http://h.example:81/a%20b?1 HTTP/1.1",
    "{client.ip}:{client.port} {request.id} {site} {route} {user}": "192.0.2.7:5000 id-1 shop / ann",
    "{cookie.s}|{cookie.b}|{cookie.c}|{header.X-Tag}|{header.none}|{query.empty}|{query.z}": '"q"|x=y||t|||',
    "{tls.version} {tls.cipher} {tls.server_name}": "TLSv1.3 AES h",
    "{upstream} {upstream.name} {upstream.host} {upstream.port} {attempts}": "http://[::1]:3001/base app ::1 3001 2",
    "{status} {upstream.duration}": "404 12.3",
    "https://{host}/{path}": "https://h.example/a%20b",
  };
  for (const [source, expected] of Object.entries(cases)) assertEquals(value(source, of), expected);
  assertEquals(/^\d+\.\d$/.test(value("{duration}")), true);
  assertEquals(Math.abs(Date.parse(value("{time.iso}")) - Number(value("{time.unix}")) * 1000) < 10_000, true);
  assertEquals(value("{time.http}").endsWith(" GMT"), true);
  assertEquals(
    value("{upstream.host}|{upstream.port}", exchange([], { upstream: "unix:/run/a.sock" })),
    "/run/a.sock|",
  );
  assertEquals(value("{upstream.host}|{upstream.port}", exchange([], { upstream: "h2c://a" })), "a|80");
  assertEquals(value("{client.port}", exchange([], { clientAddress: "198.51.100.1" })), "");
});

Deno.test("{port} is a number or empty, however the client writes its host", () => {
  const cases = { "h.example.:81": "81", "h.example:0081": "81", "h.example.": "", "h.example:": "", "[::1]": "" };
  for (const [authority, port] of Object.entries(cases)) {
    const of = exchange();
    of.head = { ...of.head, authority, host: hostOf(authority) ?? "" };
    assertEquals(value("{port}", of), port, authority);
  }
});

Deno.test("A value never breaks its line, and has one character for each byte", () => {
  const user = exchange([], { user: "a\r\nX-Evil: 1\0\x7fé€" });
  assertEquals(value("{user}", user), "aX-Evil: 1\xc3\xa9\xe2\x82\xac");
  assertEquals(value("{query.y}"), "%0d%0aSet-Cookie:a");
  assertEquals(value("{header.x}", exchange(["x", "caf\xc3\xa9"])), "caf\xc3\xa9");
});

Deno.test("A placeholder is refused where its value is not known yet", () => {
  assertThrows(
    () => fieldText("{status}", "forwarded"),
    SyntaxError,
    "{status} is not known before there is a response",
  );
  assertThrows(() => fieldText("{upstream}", "received"), SyntaxError, "before an upstream is chosen");
  assertThrows(() => new PlaceholderText("{nobody}"), SyntaxError, "{nobody} is not known, only {path}");
  assertEquals(
    new PlaceholderText("/{slug}/{*}", { parts: ["slug", "*"] }).text(exchange(), { slug: "s", "*": "r" }),
    "/s/r",
  );
});

Deno.test("fieldTexts() keeps lines that are fixed apart", () => {
  const { lines, made } = fieldTexts([["A", "1"], ["B", "{host}"], ["C", "{x"]], "forwarded");
  assertEquals([lines, made.map(([name]) => name)], [["A", "1", "C", "{x"], ["B"]]);
});
