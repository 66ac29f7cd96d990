// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { ReverseMapping, type ReverseMappingOptions } from "../../../lib/handlers/proxy/reverse_mapping.ts";
import { parseEndpoint } from "../../../lib/sockets/endpoint.ts";

/** Without Host of the client: the upstream is known by its own name. */
const hidden: ReverseMappingOptions["host"] = (endpoint) => endpoint.authority;

function mapper(url: string, options: Partial<ReverseMappingOptions> = {}) {
  const redirects = new ReverseMapping({ clientPath: "/app", upstreamPath: "/", host: hidden, ...options });
  return (value: string, name = "location") =>
    redirects.of(parseEndpoint(url)).map(name, value, "www.example.com:8080");
}

function assertMapped(
  map: (value: string, name?: string) => string,
  cases: readonly [string, string][],
  name?: string,
) {
  for (const [value, expected] of cases) assertEquals(map(value, name), expected, value);
}

Deno.test("ReverseMapping maps a Location that names the upstream to the client's path", () => {
  assertMapped(mapper("http://127.0.0.1:3001"), [
    ["http://127.0.0.1:3001/login", "/app/login"],
    ["https://127.0.0.1:3001/login?a=/b#c", "/app/login?a=/b#c"],
    ["HTTP://127.0.0.1:3001/", "/app/"],
    ["http://127.0.0.1:3001", "/app/"],
    ["http://127.0.0.1:3001?a=b", "/app/?a=b"],
    ["http://127.0.0.1:3001#top", "/app/#top"],
    ["//127.0.0.1:3001/login", "/app/login"],
    ["/login", "/app/login"],
    ["/", "/app/"],
    ["/login?next=http://127.0.0.1:3001/", "/app/login?next=http://127.0.0.1:3001/"],
  ]);
});

Deno.test("ReverseMapping leaves what names others, what is relative, and what knows of its prefix", () => {
  const map = mapper("http://127.0.0.1:3001");
  for (
    const value of ["http://127.0.0.1:3002/x", "http://127.0.0.1/x", "https://other.test/x", "//other.test/x", "login"]
      .concat("../x", "./x", "?a=b", "#a", "", "mailto:a@b", "ftp://127.0.0.1:3001/x", "/app", "/app/login", "///x")
      .concat("/\\x", "http://user@127.0.0.1:3001/x", "http://127.0.0.1:3001.evil.test/", "http:/x", "http://")
      .concat("http://www.example.com:8080/x")
  ) {
    assertEquals(map(value), value);
  }
  assertEquals(map("/application"), "/app/application");
});

Deno.test("ReverseMapping never makes an address of a host out of a path", () => {
  const map = mapper("http://127.0.0.1:3001", { clientPath: "/" });
  assertMapped(map, [
    ["http://127.0.0.1:3001//evil.test/x", "/.//evil.test/x"],
    ["http://127.0.0.1:3001/\\evil.test", "/./\\evil.test"],
    ["http://127.0.0.1:3001/login", "/login"],
    ["/login", "/login"],
  ]);
  assertEquals(mapper("http://127.0.0.1:3001/b", { clientPath: "/" })("/b//evil.test"), "/.//evil.test");
  const based = mapper("http://127.0.0.1:3001/b", { clientPath: "/" });
  // Browsers drop these characters wherever they stand in an address.
  for (const dropped of ["\t", "\r", "\n", "\t\t", "\r\n", "\x01"]) {
    assertEquals(based(`/b/${dropped}/evil.test`), `/./${dropped}/evil.test`);
    assertEquals(based(`0; url=/b/${dropped}/evil.test`, "refresh"), `0; url=/./${dropped}/evil.test`);
    assertEquals(based(`http://127.0.0.1:3001/b/${dropped}\\evil.test`), `/./${dropped}\\evil.test`);
  }
});

Deno.test("ReverseMapping compares ports and default ports", () => {
  assertMapped(mapper("http://app.internal"), [
    ["http://app.internal/x", "/app/x"],
    ["http://app.internal:80/x", "/app/x"],
    ["http://APP.internal/x", "/app/x"],
    ["http://app.internal:81/x", "http://app.internal:81/x"],
  ]);
  assertMapped(mapper("http://[::1]:3001"), [["http://[::1]:3001/x", "/app/x"]]);
  assertMapped(mapper("unix:/run/app.sock"), [["http://localhost/x", "/app/x"], ["http://other/x", "http://other/x"]]);
});

Deno.test("ReverseMapping maps below rewrite_target and the base path, and leaves paths beside them", () => {
  assertMapped(mapper("http://up:1", { clientPath: "/api", upstreamPath: "/v2/" }), [
    ["http://up:1/v2/x", "/api/x"],
    ["/v2/x", "/api/x"],
    ["/v2", "/api"],
    ["/v22/x", "/v22/x"],
    ["http://up:1/other", "/other"],
  ]);
  assertMapped(mapper("http://up:1/base/", { clientPath: "/api/" }), [
    ["http://up:1/base/x", "/api/x"],
    ["/base", "/api/"],
    ["/other", "/other"],
  ]);
  assertMapped(mapper("http://up:1", { clientPath: "/", upstreamPath: "/v2" }), [["/v2/x", "/x"], ["/v2", "/"]]);
});

Deno.test("ReverseMapping of an upstream that sees the client's Host maps the path, and keeps that name", () => {
  assertMapped(mapper("http://up:1", { host: undefined }), [
    ["http://www.example.com:8080/login", "http://www.example.com:8080/app/login"],
    ["https://WWW.example.com:8080", "https://WWW.example.com:8080/app/"],
    ["http://www.example.com/login", "http://www.example.com/login"],
    ["http://up:1/login", "/app/login"],
    ["/login", "/app/login"],
  ]);
});

Deno.test("ReverseMapping knows a Host that the config sets", () => {
  assertMapped(mapper("http://10.0.0.1:3001", { host: () => "app.internal" }), [
    ["http://app.internal/x", "/app/x"],
    ["http://10.0.0.1:3001/x", "/app/x"],
  ]);
});

Deno.test("ReverseMapping maps Content-Location and the address in Refresh", () => {
  const map = mapper("http://127.0.0.1:3001");
  assertEquals(map("/doc", "content-location"), "/app/doc");
  assertMapped(map, [
    ["5; url=http://127.0.0.1:3001/x", "5; url=/app/x"],
    ["0;URL='/x'", "0;URL='/app/x'"],
    ["3, /x", "3, /app/x"],
    ["5", "5"],
    ["5; url=https://other.test/", "5; url=https://other.test/"],
  ], "refresh");
  assertEquals(map("/x", "x-other"), "/x");
});

Deno.test("ReverseMapping maps Path and Domain of cookies, and leaves all else of them", () => {
  assertMapped(mapper("http://app.internal:3001"), [
    ["a=/; Path=/; HttpOnly", "a=/; Path=/app; HttpOnly"],
    ["a=1;path=/admin;Secure", "a=1;path=/app/admin;Secure"],
    ["a=1; Path=/app/x", "a=1; Path=/app/x"],
    ["a=1; Domain=app.internal; Path=/", "a=1; Path=/app"],
    ["a=1; domain=.APP.internal", "a=1"],
    ["a=1; Domain=example.com", "a=1; Domain=example.com"],
    ["path=/x; Max-Age=1", "path=/x; Max-Age=1"],
    ["a=1", "a=1"],
    ["__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure"],
    ["a=1; Path=relative", "a=1; Path=relative"],
    ['a=1; Path="/y" ; Secure', 'a=1; Path="/app/y"; Secure'],
    ['a="x;Path=/y"', 'a="x;Path=/app/y"'],
  ], "set-cookie");
  const plain = mapper("http://app.internal:3001", { clientPath: "/" });
  assertEquals(plain("a=1; Path=/; Domain=app.internal", "set-cookie"), "a=1; Path=/");
  const seen = mapper("http://app.internal:3001", { host: undefined });
  assertEquals(seen("a=1; Path=/; Domain=app.internal", "set-cookie"), "a=1; Path=/app; Domain=app.internal");
});

Deno.test("ReverseMapping takes time in proportion to a hostile value", () => {
  const map = mapper("http://127.0.0.1:3001");
  const startMs = performance.now();
  for (const char of ["/", ";", " ", "=", "\\", "a", "#", "'", "5", "a=", "Path=/;"]) {
    for (const name of ["location", "refresh", "set-cookie"]) map(char.repeat(60_000), name);
  }
  assertEquals(performance.now() - startMs < 3000, true);
});
