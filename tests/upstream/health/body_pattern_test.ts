// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { BodyPattern, MATCHED_CHARS } from "../../../lib/upstream/health/body_pattern.ts";

Deno.test("BodyPattern.faultOf() takes no longer for a body that was made for the expression", () => {
  const body = "a".repeat(64 * 1024) + "b";
  for (const source of ["^(a+)+$", "(a|aa)+$", "(a|a?)+$", "(.*a){12}$", "(a?){25}a{25}$"]) {
    const startMs = performance.now();
    new BodyPattern(source).faultOf(body);
    // Some 20 to 200 ms; by going back and trying again, the age of the universe.
    assertLess(performance.now() - startMs, 5000, source);
  }
});

Deno.test("BodyPattern reads what JavaScript reads, without what needs going back", () => {
  const cases: [string, string, boolean][] = [
    ["ok", "it is ok", true],
    ["^ok$", "ok", true],
    ["^ok$", "ok\n", false],
    ['"status"\\s*:\\s*"(?:ok|up)"', '{"status" : "up"}', true],
    ["^\\{\\}$", "{}", true],
    ["\\u0041\\x42", "AB", true],
    ["(?<word>o)k", "ok", true],
    ["\\/health", "/health", true],
    ["straße|caf\\u00e9", "café", true],
    ["\\d{3}", "200", true],
    ["(?i)OK", "ok", true],
  ];
  for (const [source, body, matches] of cases) {
    assertEquals(new BodyPattern(source).faultOf(body) === undefined, matches, source);
  }
});

Deno.test("BodyPattern finds plain text anywhere, and expressions in the first 16 KiB", () => {
  const body = "x".repeat(MATCHED_CHARS) + "last";
  assertEquals(new BodyPattern("last").faultOf(body), undefined);
  assertEquals(new BodyPattern("l[a]st").faultOf(body), "the body does not match /l[a]st/");
});

Deno.test("BodyPattern refuses what it cannot match in bounded time, and says why", () => {
  assertThrows(() => new BodyPattern("(a)\\1"), SyntaxError, "back references");
  assertThrows(() => new BodyPattern("a(?=b)"), SyntaxError, "ahead or behind");
  assertThrows(() => new BodyPattern("("), SyntaxError, "missing closing )");
  assertThrows(() => new BodyPattern("(a{100}){10}"), SyntaxError, "of at most 150");
});
