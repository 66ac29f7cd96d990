// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { NAMED, parsePattern, SlowPatternError } from "../../lib/routing/pattern_syntax.ts";

Deno.test("parsePattern() compiles literal segments, named segments and a star at the end", () => {
  assertEquals(parsePattern("/"), { segments: [""], tail: "end", maxPathLength: Infinity });
  assertEquals(parsePattern("/a/:id/"), { segments: ["a", NAMED, ""], tail: "end", maxPathLength: Infinity });
  assertEquals(parsePattern("/a/:id/*"), { segments: ["a", NAMED], tail: "rest", maxPathLength: Infinity });
  assertEquals(parsePattern("/*"), { segments: [], tail: "rest", maxPathLength: Infinity });
  assertEquals(parsePattern("*"), { segments: [], tail: "rest", maxPathLength: Infinity });
  assertEquals(parsePattern("/a\\:b\\*/c"), { segments: ["a:b*", "c"], tail: "end", maxPathLength: Infinity });
});

Deno.test("parsePattern() leaves richer syntax to URLPattern, below the segments that are certain", () => {
  const cases: [string, (string | typeof NAMED)[]][] = [
    ["/a/b/:id(\\d+)", ["a", "b"]],
    ["/a/:x/:id(\\d+)/c", ["a", NAMED]],
    ["/a/b/:id([a-z]*)", ["a", "b"]],
    ["/a/b/:id((?:x|\\)))", ["a", "b"]],
    ["/a/b/*/c", ["a", "b"]],
    ["/a/b/{c}?", ["a", "b"]],
    ["/a/b/:x+", ["a", "b"]],
    // The slash goes with the group, so `b` may be followed by something else.
    ["/a/b/:x?c", ["a"]],
    ["/a/b/:x*", ["a"]],
    ["/a/b/(\\d+)?", ["a"]],
    ["/a/b{/c}?", ["a"]],
    ["{/a}?", []],
  ];
  for (const [source, segments] of cases) {
    const syntax = parsePattern(source);
    assertEquals(syntax.segments, segments, source);
    assertInstanceOf(syntax.tail, URLPattern);
  }
});

Deno.test("parsePattern() refuses patterns that a path could be made for whose comparison takes long", () => {
  for (
    const slow of [
      ...["/((?:a+)+)", "/x((?:a|aa)+)", "/*a*a*a", "/a/b/**", "/:a.:b.:c", "/(.*)(.*)(.*)b", "/{:a}*", "/{/:x-}*"],
      ...["/(a?a?a?a?a?a?a?a?a?a?a)", "/((?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b))"],
      ...["/x(a{1,9999}b)", "/x([a&&b])", "/{a}?{a}?{a}?{a}?{a}?{a}?{a}?{a}?{a}?"],
    ]
  ) assertThrows(() => parsePattern(slow), SlowPatternError, "minutes", slow);
});

Deno.test("parsePattern() takes the patterns that people write, some of them for paths of 2048 characters at most", () => {
  const any = [
    ...[
      "/users/:id(\\d+)/posts/:post([a-z0-9-]+)",
      "/files/*.jpg",
      "/*/x/*",
      "/users/:id?",
      "/a/:rest+",
      "/a/:rest*/b",
    ],
    ...["{/:lang(en|de)}?/docs/*", "/img/:n(\\d{1,4}).:e(png|jpg)", "/{a}*b", "/:id([0-9a-f]{8}-[0-9a-f]{4})"],
  ];
  for (const source of any) assertEquals(parsePattern(source).maxPathLength, Infinity, source);
  for (const source of ["/:year-:month", "/*/x/*/y", "/(.*)(.*)b"]) {
    assertEquals(parsePattern(source).maxPathLength, 2048, source);
  }
});
