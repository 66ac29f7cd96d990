// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { readRequestPath, servableName } from "../../../lib/handlers/files/request_path.ts";
import { choose, seededRandom, testSeed } from "../../contract/seeded_random.ts";

const PLAIN = { dotfiles: false, windows: false };

Deno.test("readRequestPath() decodes a path exactly once", () => {
  assertStrictEquals(readRequestPath("/", PLAIN), "/");
  assertStrictEquals(readRequestPath("/a/b/", PLAIN), "/a/b/");
  assertStrictEquals(readRequestPath("/a%20b%C3%A4.txt", PLAIN), "/a bä.txt");
  assertStrictEquals(readRequestPath("/ä.txt", PLAIN), "/ä.txt");
  assertStrictEquals(readRequestPath("/%252e%252e/x", PLAIN), "/%2e%2e/x");
  assertStrictEquals(readRequestPath("/a+b~c;d=e", PLAIN), "/a+b~c;d=e");
});

Deno.test("readRequestPath() says 400 to what is malformed", () => {
  const paths = ["/%", "/%4", "/%zz", "/%c0%ae%c0%ae/", "/%ff", "/%ed%a0%80", "/a%00b", "/a%0ab", "/\ud800", "", "a"];
  for (const path of paths) assertStrictEquals(readRequestPath(path, PLAIN), 400, JSON.stringify(path));
});

Deno.test("readRequestPath() says 404 to what could mean another file", () => {
  const paths = [
    ...["/..", "/../x", "/a/../..", "/a/../../a/b", "/a//../../b", "/%2e%2e/x", "/%2E./x", "/.%2e", "/a/%2e%2e%2fb"],
    ...["/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/..\\x", "/\\host", "/%5C%5Chost"],
    ...["/.git/config", "/a/.env", "/x/../.env", "/..;/x", "/.well-known/.x", "/...", `/${"a".repeat(5000)}`],
  ];
  for (const path of paths) assertStrictEquals(readRequestPath(path, PLAIN), 404, path.slice(0, 40));
});

Deno.test("readRequestPath() resolves dot segments and repeated slashes, which never leave the root", () => {
  const cases: [string, string][] = [
    ...[["/docs/../app.js", "/app.js"], ["/docs/%2e%2E/app.js", "/app.js"], ["/a/..", "/"], ["/.", "/"]],
    ...[["/./a", "/a"], ["/a/b/..", "/a/"], ["/a/b/.", "/a/b/"], ["/docs//x.txt", "/docs/x.txt"], ["//", "/"]],
    ...[["//host/x", "/host/x"], ["/a///b//", "/a/b/"], ["/a//../b", "/b"], ["/a/b/", "/a/b/"]],
  ] as [string, string][];
  for (const [path, plain] of cases) assertStrictEquals(readRequestPath(path, PLAIN), plain, path);
});

Deno.test("readRequestPath() agrees with the runtime's own URL on random paths that stay below the root", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  let compared = 0;
  for (let i = 0; i < 20_000; i++) {
    const path = "/" + Array.from({ length: 1 + Math.floor(random() * 8) }, () => choose(random, PIECES)).join("/");
    const found = readRequestPath(path, PLAIN);
    // Empty segments are no depth here, and are for the URL: they are taken out first.
    const merged = path.replace(/\/+/g, "/");
    let depth = 0;
    const leaves = merged.split("/").slice(1).some((part) =>
      (depth += part === ".." ? -1 : part === "." || part === "" ? 0 : 1) < 0
    );
    assertEquals(found, leaves ? 404 : new URL(merged, "http://x").pathname, `${path} (BWS_TEST_SEED=${seed})`);
    if (!leaves) compared++;
  }
  assert(compared > 1000);
});

const PIECES = ["a", "b", "", ".", "..", "..", "c.txt"];

Deno.test("readRequestPath() serves .well-known always and other dotfiles on demand", () => {
  assertStrictEquals(readRequestPath("/.well-known/a", PLAIN), "/.well-known/a");
  assertStrictEquals(readRequestPath("/.env", { dotfiles: true, windows: false }), "/.env");
  assertStrictEquals(readRequestPath("/..", { dotfiles: true, windows: false }), 404);
});

Deno.test("servableName() refuses the names that Windows reads in its own way", () => {
  const windows = { dotfiles: false, windows: true };
  const names = [
    ...["C:", "a.txt:x", "a.txt::$DATA", "con", "CON.txt", "nul .txt", "aux", "COM1", "lpt9.log", "com¹", "CONIN$"],
    ...["a.", "a ", "GIT~1", "a*", "a?", "a|b", "<a", 'a"'],
  ];
  for (const name of names) {
    assertEquals([servableName(name, windows), servableName(name, PLAIN)], [false, true], name);
  }
  for (const name of ["console.js", "com.txt", "a.b", "nullable", "a~b", "communal.txt"]) {
    assertStrictEquals(servableName(name, windows), true, name);
  }
});
