// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertInstanceOf } from "@std/assert";
import { NAMED, parsePattern } from "../../lib/routing/pattern_syntax.ts";

Deno.test("parsePattern() compiles literal segments, named segments and a star at the end", () => {
  assertEquals(parsePattern("/"), { segments: [""], tail: "end" });
  assertEquals(parsePattern("/a/:id/"), { segments: ["a", NAMED, ""], tail: "end" });
  assertEquals(parsePattern("/a/:id/*"), { segments: ["a", NAMED], tail: "rest" });
  assertEquals(parsePattern("/*"), { segments: [], tail: "rest" });
  assertEquals(parsePattern("*"), { segments: [], tail: "rest" });
  assertEquals(parsePattern("/a\\:b\\*/c"), { segments: ["a:b*", "c"], tail: "end" });
});

Deno.test("parsePattern() leaves richer syntax to URLPattern, below the segments that are certain", () => {
  const cases: [string, (string | typeof NAMED)[]][] = [
    ["/a/b/:id(\\d+)", ["a", "b"]],
    ["/a/:x/:id(\\d+)/c", ["a", NAMED]],
    ["/a/b/:id([a-z]*)", ["a", "b"]],
    ["/a/b/:id((?:x|\\))+)", ["a", "b"]],
    ["/a/b/*/c", ["a", "b"]],
    ["/a/b/{c}?", ["a", "b"]],
    ["/a/b/:x+", ["a", "b"]],
    // The slash goes with the group, so `b` may be followed by something else.
    ["/a/b/:x?c", ["a"]],
    ["/a/b/:x*", ["a"]],
    ["/a/b/(\\d+)?", ["a"]],
    ["/a/b/**", ["a"]],
    ["/a/b{/c}?", ["a"]],
    ["{/a}?", []],
  ];
  for (const [source, segments] of cases) {
    const syntax = parsePattern(source);
    assertEquals(syntax.segments, segments, source);
    assertInstanceOf(syntax.tail, URLPattern);
  }
});
