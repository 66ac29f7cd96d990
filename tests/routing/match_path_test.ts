// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import {
  climbs,
  dropSegments,
  hasDotSegments,
  matchPath,
  resolveDots,
  resolvedReadings,
  writtenPath,
} from "../../lib/routing/match_path.ts";
import { choose, seededRandom, testSeed } from "../contract/seeded_random.ts";
import { quickestMs } from "../support/quickest.ts";

Deno.test("matchPath() decodes unreserved characters and gives all other escapes in upper case", () => {
  for (let code = 0; code < 256; code++) {
    const hex = code.toString(16).padStart(2, "0");
    const char = String.fromCharCode(code);
    for (const encoded of [`%${hex}`, `%${hex.toUpperCase()}`]) {
      const expected = /[A-Za-z0-9._~-]/.test(char) ? `/x${char}y` : `/x${encoded.toUpperCase()}y`;
      assertEquals(matchPath(`/x${encoded}y`), expected);
    }
  }
});

Deno.test("matchPath() gives back a path without encodings as it is", () => {
  for (const path of ["/", "/a/b", "//a/./../b", "/a+b;c=d,e@f", "/caf\u00e9"]) {
    assertStrictEquals(matchPath(path), path);
  }
});

Deno.test("matchPath() decodes once", () => {
  assertEquals(matchPath("/%2561"), "/%2561");
  assertEquals(matchPath("/%25%36%31"), "/%2561");
});

Deno.test("matchPath() shows dot segments that were encoded", () => {
  assertEquals(matchPath("/a/%2e%2E/.%2e/b"), "/a/../../b");
});

Deno.test("matchPath() gives undefined for a percent sign without two hexadecimal digits", () => {
  for (const path of ["/%", "/%4", "/%4g", "/%g4", "/%%41", "/a%/b", "/%-1", "/% 1", "/%\u0661\u0661"]) {
    assertEquals(matchPath(path), undefined, path);
  }
});

Deno.test("matchPath() and writtenPath() agree with a slow twin that goes through the bytes of a path", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const pieces = [
    "a",
    "%61",
    "%41",
    "ß",
    "%c3%9f",
    "%C3%9f",
    "%C3%9F",
    "/",
    "%2f",
    "%2F",
    ";",
    "%3b",
    " ",
    "%20",
    "~",
    "%7e",
  ];
  let equal = 0;
  for (let i = 0; i < 20_000; i++) {
    const [one, other] = [0, 1].map(() =>
      "/" + Array.from({ length: 1 + Math.floor(random() * 3) }, () => choose(random, pieces)).join("")
    );
    const about = `${one} and ${other} (BWS_TEST_SEED=${seed})`;
    // What is the same path by RFC 3986, section 6.2.2, has one form, and what is not has not.
    assertEquals(writtenPath(one) === writtenPath(other), slowForm(one) === slowForm(other), about);
    if (one !== other && slowForm(one) === slowForm(other)) equal++;
  }
  assert(equal > 100, "no two texts of one path were compared");
});

/** Each byte as an unreserved character, or as its escape where it came escaped or cannot come plain. */
function slowForm(path: string): string {
  const out: string[] = [];
  for (let at = 0; at < path.length;) {
    const escaped = path[at] === "%";
    const char = String.fromCodePoint(path.codePointAt(at) as number);
    const bytes = escaped ? [parseInt(path.slice(at + 1, at + 3), 16)] : [...new TextEncoder().encode(char)];
    at += escaped ? 3 : char.length;
    for (const byte of bytes) {
      const plain = String.fromCharCode(byte);
      const keep = /[A-Za-z0-9._~-]/.test(plain) || (!escaped && byte > 0x20 && byte < 0x7f);
      out.push(keep ? plain : `%${byte}`);
    }
  }
  return out.join("|");
}

Deno.test("hasDotSegments() sees dot segments, not names that begin with dots", () => {
  for (
    const path of ["/.", "/..", "/./a", "/a/..", "/a/../b", "/.a/.", "/.../..", "/../", "/a/..;/b", "/.;x", "/..;a=b/c"]
  ) {
    assert(hasDotSegments(path), path);
  }
  for (
    const path of [
      "/",
      "/a",
      "/.well-known/x",
      "/...",
      "/..a",
      "/a./b",
      "/a..",
      "/.a/..b/...",
      "/a.b",
      "/a;..",
      "/...;",
    ]
  ) {
    assert(!hasDotSegments(path), path);
  }
});

Deno.test("resolveDots() resolves as RFC 3986 does", () => {
  const cases = {
    "/a/b/c/./../../g": "/a/g",
    "/a/b/..": "/a/",
    "/a/b/.": "/a/b/",
    "/..": "/",
    "/../../a": "/a",
    "/a//../b": "/a/b",
    "/a/../": "/",
    "/./": "/",
    "//..": "/",
    "/.a/b": "/.a/b",
    "/a/..;x/b": "/b",
    "/a/.;/b;c": "/a/b;c",
    "/a/..;": "/",
  };
  for (const [path, resolved] of Object.entries(cases)) assertEquals(resolveDots(path), resolved, path);
});

Deno.test("resolveDots() agrees with a literal transcription of RFC 3986, section 5.2.4", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (let i = 0; i < 20_000; i++) {
    const path = randomPath(random);
    assertEquals(resolveDots(path), removeDotSegments(path), `${path} (BWS_TEST_SEED=${seed})`);
  }
});

Deno.test("climbs() finds whether a path leaves its root at any point", () => {
  for (const path of ["/..", "/../a", "/a/../..", "/a/../../a/b", "/./..", "/a//../..", "//..", "/a/..;/..;"]) {
    assert(climbs(path), path);
  }
  for (const path of ["/", "/a/..", "/a/b/../../c", "/a/./..", "/...", "/a/..b/c", "/a/../b/.."]) {
    assert(!climbs(path), path);
  }
});

Deno.test("climbs() finds paths that leave their root once separators are decoded", () => {
  for (
    const path of ["/..%2Fa", "/..%5Ca", "/a%2F..%2F..%2Fb", "/a%5C..%2F..%2Fb", "/a%2Fb/../..", "/a%2F..;x%2F..;"]
  ) {
    assert(climbs(path), path);
  }
  for (const path of ["/a%2Fb", "/a/..%2Fb", "/a%2F..%2Fb", "/a/b%5C..%5Cc", "/..%20/a", "/..%252F"]) {
    assert(!climbs(path), path);
  }
});

Deno.test("resolvedReadings() has each path that a server may make of one with dot segments", () => {
  const cases: Record<string, string[]> = {
    "/": [],
    "/a//b%2Fc;d": [],
    "/a%5C..b": [],
    "/a/../b": ["/b"],
    "/a//../b": ["/a/b", "/b"],
    "/a/..%2Fb": ["/a/..%2Fb", "/b"],
    "/a%2F..": ["/a%2F..", "/"],
    "/a/..%5Cb": ["/a/..%5Cb", "/b"],
    "/a%5Cb%2F../c": ["/a%5Cb%2F../c", "/a/b%2F../c", "/c", "/a/c"],
    "/a%2F/../b": ["/b", "/a/b"],
    "/a/..;x/b": ["/b", "/a/..;x/b"],
    "/a/../b/..;x/a": ["/a", "/b/..;x/a"],
  };
  for (const [path, readings] of Object.entries(cases)) {
    assertEquals([...resolvedReadings(path)].sort(), readings.sort(), path);
  }
});

Deno.test("dropSegments() takes off the segments of the prefix and leaves the other bytes as they are", () => {
  const cases: [string, string, string][] = [
    ["/api", "/api", "/"],
    ["/api/", "/api", "/"],
    ["/api/x", "/api", "/x"],
    ["/api/x", "/api/", "/x"],
    ["/api/", "/api/", "/"],
    ["/api//x//", "/api", "//x//"],
    ["/%61pi/%61%2f%zz", "/api", "/%61%2f%zz"],
    ["/a/b/c", "/a/b", "/c"],
    ["/a/b/c", "/a/b/", "/c"],
    ["/a/b", "/a/b", "/"],
    ["/x/y", "/", "/x/y"],
    ["/", "/", "/"],
    ["//x", "/", "//x"],
    ["/a//x", "/a//", "/x"],
    ["/a/b", "/a/b/c", "/"],
    ["/app;jsessionid=1", "/app", "/;jsessionid=1"],
    ["/app;jsessionid=1/x;y", "/app", "/x;y"],
    ["/a;b/app;c", "/a/app", "/;c"],
  ];
  for (const [rawPath, prefix, remainder] of cases) assertEquals(dropSegments(rawPath, prefix), remainder, rawPath);
});

Deno.test("path functions take time in proportion to a hostile path", () => {
  const paths = [
    "/..".repeat(20_000),
    "/.".repeat(30_000),
    "/%2e%2e".repeat(8000),
    "/".repeat(60_000),
    "%41".repeat(20_000),
    "a//;%2F%5C../b/..;c/".repeat(3000),
  ];
  for (const path of paths) {
    const tookMs = quickestMs(500, () => {
      const plain = matchPath("/" + path) ?? "/";
      hasDotSegments(plain);
      resolveDots(plain);
      resolvedReadings(plain);
      climbs(plain);
      dropSegments(plain, plain);
    });
    assertLess(tookMs, 500, path.slice(0, 10));
  }
});

function randomPath(random: () => number): string {
  let path = "";
  for (let length = Math.floor(random() * 7); length >= 0; length--) {
    path += "/" + choose(random, ["..", ".", "", "a", "..", "b.", ".c", "..."]);
  }
  return path;
}

/** The steps of the RFC with their letters; slow on purpose. */
function removeDotSegments(path: string): string {
  let input = path;
  let output = "";
  while (input !== "") {
    if (input.startsWith("/./")) input = input.slice(2); // 2B
    else if (input === "/.") input = "/"; // 2B
    else if (input.startsWith("/../") || input === "/..") { // 2C
      input = "/" + input.slice(4);
      output = output.replace(/\/[^/]*$/, "");
    } else { // 2E
      const segment = /^\/[^/]*/.exec(input)?.[0] ?? input;
      output += segment;
      input = input.slice(segment.length);
    }
  }
  return output;
}
