// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertInstanceOf, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import type { RouteKind, RouteSpec } from "../../lib/routing/route.ts";
import { writtenPath } from "../../lib/routing/match_path.ts";
import { parsePattern } from "../../lib/routing/pattern_syntax.ts";
import { compileRoutes, type RouteTable } from "../../lib/routing/route_table.ts";
import { choose, seededRandom, testSeed } from "../contract/seeded_random.ts";
import { quickestMs } from "../support/quickest.ts";

function route(kind: RouteKind, path: string, ...methods: string[]): RouteSpec<string> {
  const target = [kind, path, ...methods].join(" ");
  return methods.length === 0 ? { kind, path, target } : { kind, path, methods, target };
}

/** The target that a request finds, `405 …` with the methods allowed, or `none`. */
function found(table: RouteTable<string>, path: string, method = "GET"): string {
  const match = table.match(path, method);
  if (match === undefined) return "none";
  return match.matched ? match.target : `405 ${match.allow.toSorted().join(" ")}`;
}

Deno.test("RouteTable.match() ends a prefix on a segment", () => {
  const table = compileRoutes([route("prefix", "/api"), route("prefix", "/app/")]);
  for (const path of ["/api", "/api/", "/api/x", "/api//", "/api/x/y/"]) {
    assertEquals(found(table, path), "prefix /api");
  }
  for (const path of ["/app/", "/app/x", "/app//"]) assertEquals(found(table, path), "prefix /app/");
  for (const path of ["/apix", "/ap", "/", "//api", "/app", "/appx", "/API"]) assertEquals(found(table, path), "none");
});

Deno.test("RouteTable.match() ends a segment of a prefix on path parameters, and of nothing else", () => {
  const table = compileRoutes([
    route("prefix", "/app"),
    route("prefix", "/app/x/"),
    route("prefix", "/app;v=2"),
    route("exact", "/one"),
  ]);
  assertEquals(found(table, "/app;jsessionid=1"), "prefix /app");
  assertEquals(found(table, "/app;jsessionid=1/y"), "prefix /app");
  assertEquals(found(table, "/app;a/x;b/y"), "prefix /app/x/");
  assertEquals(found(table, "/app;"), "prefix /app");
  assertEquals(found(table, "/app;v=2/y"), "prefix /app;v=2");
  for (const path of ["/application;x", "/ap;p", "/one;x", "/;app"]) assertEquals(found(table, path), "none", path);
});

Deno.test("RouteTable.match() takes all ways to escape a path for one, in routes of all kinds", () => {
  const writings = ["/stra\u00dfe", "/stra%C3%9Fe", "/stra%c3%9fe", "/str%61%c3%9Fe"];
  for (const kind of ["prefix", "exact", "pattern"] as const) {
    for (const own of writings) {
      const table = compileRoutes([route(kind, own)]);
      for (const path of writings) {
        assertEquals(found(table, writtenPath(path) ?? ""), `${kind} ${own}`, `${kind} ${own} for ${path}`);
      }
      assertEquals(found(table, "/stra%C3%9fE".toUpperCase()), "none");
    }
  }
  // Behind what only URLPattern understands, too
  const rich: [string, string, boolean][] = [
    ["/:id(\\d+)/caf%c3%a9", "/7/caf%C3%A9", true],
    ["/:id(\\d+)/%61", "/7/a", true],
    ["/x:id%61(b)?", "/x1a", true],
    ["/:id(\\d%2e)", "/7.", true],
    ["/:id(\\d%2e)", "/7x", false],
    ["{/%61}?/b", "/a/b", true],
    ["/:id(\\d+)/%2f", "/7/%2F", true],
  ];
  for (const [own, path, matches] of rich) {
    assertEquals(found(compileRoutes([route("pattern", own)]), path), matches ? `pattern ${own}` : "none", own);
  }
});

Deno.test("RouteTable.match() takes the longest prefix, then the first in the file", () => {
  const table = compileRoutes([
    route("prefix", "/"),
    route("prefix", "/a"),
    route("prefix", "/a/b"),
    { ...route("prefix", "/a/b"), target: "second" },
    route("prefix", "/a/"),
  ]);
  assertEquals(found(table, "/"), "prefix /");
  assertEquals(found(table, "/b"), "prefix /");
  assertEquals(found(table, "/a"), "prefix /a");
  assertEquals(found(table, "/a/"), "prefix /a/");
  assertEquals(found(table, "/a/bc"), "prefix /a/");
  assertEquals(found(table, "/a/b/c"), "prefix /a/b");
});

Deno.test("RouteTable.match() puts exact before pattern before prefix, whatever their order", () => {
  const table = compileRoutes([
    route("prefix", "/a/b/c"),
    route("pattern", "/a/:x/c"),
    route("pattern", "/a/*"),
    route("exact", "/a/b/c"),
  ]);
  assertEquals(found(table, "/a/b/c"), "exact /a/b/c");
  assertEquals(found(table, "/a/z/c"), "pattern /a/:x/c");
  assertEquals(found(table, "/a/b/c/d"), "pattern /a/*");
});

Deno.test("RouteTable.match() compares an exact path whole", () => {
  const table = compileRoutes([route("exact", "/a/"), route("exact", "/")]);
  assertEquals(found(table, "/a/"), "exact /a/");
  assertEquals(found(table, "/"), "exact /");
  for (const path of ["/a", "/a/b", "//", "/a//"]) assertEquals(found(table, path), "none");
});

Deno.test("RouteTable.match() takes the first pattern in the file, simple or not", () => {
  const table = compileRoutes([
    route("pattern", "/n/:id(\\d+)"),
    route("pattern", "/n/:name"),
    route("pattern", "/n/7"),
    route("pattern", "/n/:tail*"),
    route("pattern", "*"),
  ]);
  assertEquals(found(table, "/n/7"), "pattern /n/:id(\\d+)");
  assertEquals(found(table, "/n/x"), "pattern /n/:name");
  assertEquals(found(table, "/n/x/y"), "pattern /n/:tail*");
  assertEquals(found(table, "/n"), "pattern /n/:tail*");
  assertEquals(found(table, "/other"), "pattern *");
});

Deno.test("RouteTable.match() passes over routes that do not take the method", () => {
  const table = compileRoutes([
    route("exact", "/a/b", "PUT"),
    route("pattern", "/a/:x", "DELETE", "PATCH"),
    route("prefix", "/a/b", "POST"),
    route("prefix", "/a", "GET", "POST"),
  ]);
  assertEquals(found(table, "/a/b", "PUT"), "exact /a/b PUT");
  assertEquals(found(table, "/a/b", "PATCH"), "pattern /a/:x DELETE PATCH");
  assertEquals(found(table, "/a/b", "POST"), "prefix /a/b POST");
  assertEquals(found(table, "/a/b", "GET"), "prefix /a GET POST");
  assertEquals(found(table, "/a/b", "HEAD"), "405 DELETE GET PATCH POST PUT");
  assertEquals(found(table, "/a/c", "get"), "405 DELETE GET PATCH POST");
  assertEquals(found(table, "/a", "PUT"), "405 GET POST");
  assertEquals(found(table, "/b", "HEAD"), "none");
});

Deno.test("RouteTable.match() forgets a mismatch before the next call", () => {
  const table = compileRoutes([route("prefix", "/a", "GET"), route("prefix", "/b", "PUT")]);
  assertEquals(found(table, "/a", "POST"), "405 GET");
  assertEquals(found(table, "/b", "POST"), "405 PUT");
  assertEquals(found(table, "/c", "POST"), "none");
});

Deno.test("RouteTable.match() chooses by method among routes of one path, the first in the file for each", () => {
  const table = compileRoutes([
    { ...route("prefix", "/a", "GET"), target: "read" },
    { ...route("prefix", "/a", "GET", "PUT"), target: "write" },
    { ...route("prefix", "/a"), target: "any" },
    { ...route("prefix", "/a", "DELETE"), target: "hidden" },
  ]);
  assertEquals(found(table, "/a", "GET"), "read");
  assertEquals(found(table, "/a", "PUT"), "write");
  assertEquals(found(table, "/a", "DELETE"), "any");
});

Deno.test("RouteTable.match() gives the same object for a route each time", () => {
  const spec = route("prefix", "/a");
  const table = compileRoutes([route("exact", "/z"), spec]);
  const match = table.match("/a/b", "GET");
  assert(match?.matched);
  assertStrictEquals(match.route, spec);
  assertEquals(match.order, 1);
  assertStrictEquals(table.match("/a", "POST"), match);
});

Deno.test("compileRoutes() brings paths to match form", () => {
  const table = compileRoutes([
    route("prefix", "/%61b%2fc"),
    route("exact", "/é x"),
    route("pattern", "/%7Euser/:é"),
    route("pattern", "/%7Euser/:id(\\d+)/x"),
    route("pattern", "/a/../p/:x"),
  ]);
  assertEquals(found(table, "/ab%2Fc/d"), "prefix /%61b%2fc");
  assertEquals(found(table, "/%C3%A9%20x"), "exact /é x");
  assertEquals(found(table, "/~user/1"), "pattern /%7Euser/:é");
  assertEquals(found(table, "/~user/1/x"), "pattern /%7Euser/:id(\\d+)/x");
  assertEquals(found(table, "/p/1"), "pattern /a/../p/:x");
});

Deno.test("compileRoutes() refuses what can never match", () => {
  assertThrows(() => compileRoutes([route("prefix", "api")]), TypeError, 'expected a path that begins with "/"');
  assertThrows(() => compileRoutes([route("exact", "")]), TypeError, 'expected a path that begins with "/"');
  assertThrows(() => compileRoutes([route("exact", "/100%")]), TypeError, 'expected "%25"');
  assertThrows(() => compileRoutes([route("pattern", "/100%/:x")]), TypeError, 'expected "%25"');
  assertThrows(() => compileRoutes([{ ...route("prefix", "/"), methods: [] }]), TypeError, "lists no methods");
  const error = assertThrows(() => compileRoutes([route("pattern", "/:")]), TypeError, 'route pattern "/:"');
  assertInstanceOf(error.cause, TypeError);
});

Deno.test("RouteTable.match() reads a backslash as a character, in patterns too", () => {
  const table = compileRoutes([route("pattern", "/a/:x(b)/:y"), route("pattern", "/c/:x")]);
  assertEquals(found(table, "/a/b/c"), "pattern /a/:x(b)/:y");
  assertEquals(found(table, "/a/b\\c"), "none");
  assertEquals(found(table, "/c/d\\e"), "pattern /c/:x");
});

Deno.test("RouteTable.match() is not slowed down by hostile paths", () => {
  const routes = [route("prefix", "/"), route("exact", "/a/b"), route("prefix", "//////x"), route("pattern", "/a/*")];
  // Every path of `a` and `:x` segments: a matcher that goes back and tries again would take 2^14 ways.
  for (let bits = 0; bits < 64; bits++) {
    const segments = Array.from({ length: 14 }, (_, i) => (bits >> (i % 6)) % 2 === 0 ? "a" : `:x${i}`);
    routes.push(route("pattern", `/${segments.join("/")}/end`));
  }
  const table = compileRoutes(routes);
  const paths = ["/".repeat(8192), "/a".repeat(4096), "/" + "a".repeat(8191), "/a/".repeat(2730), "/%2f".repeat(2048)];
  for (const path of paths) {
    const tookMs = quickestMs(1000, () => {
      for (let i = 0; i < 100; i++) table.match(path, "GET");
    });
    // About 10 ms for the worst; the bound only tells linear from exponential.
    assertLess(tookMs, 1000, `100 matches of ${path.slice(0, 10)}`);
  }
});

// The oracle: every route is looked at, with string comparison and real URLPattern.

interface Judged {
  readonly spec: RouteSpec<string>;
  readonly matches: (path: string) => boolean;
}

function judge(spec: RouteSpec<string>): Judged {
  const { kind, path: own } = spec;
  if (kind === "exact") return { spec, matches: (path) => path === own };
  if (kind === "pattern") {
    const pattern = new URLPattern({ pathname: own });
    return { spec, matches: (path) => pattern.test({ pathname: path }) };
  }
  const below = own.endsWith("/") ? own : own + "/";
  // With and without path parameters: no route of these tests has any.
  const matches = (path: string) => path === own || path.startsWith(below);
  return { spec, matches: (path) => matches(path) || matches(path.replace(/;[^/]*/g, "")) };
}

function slowMatch(routes: readonly Judged[], path: string, method: string): string {
  const rank = ({ kind, path }: RouteSpec<string>) =>
    kind === "exact" ? Infinity : kind === "pattern" ? 1_000_000 : path.length;
  const matching = routes.filter((judged) => judged.matches(path)).map((judged) => judged.spec);
  if (matching.length === 0) return "none";
  const taking = matching.filter((spec) => spec.methods?.includes(method) ?? true);
  taking.sort((a, b) => rank(b) - rank(a) || 0);
  if (taking.length > 0) return taking[0].target;
  return `405 ${[...new Set(matching.flatMap((spec) => spec.methods ?? []))].sort().join(" ")}`;
}

const PLAIN = ["a", "b", "ab", "1", "22", "a%2Fb", "v1.0", "~x", "a:b"];
const SIMPLE = [":N", ":N", ":N", "a", "b", "1", "a\\:b", ""];
const RICH = [
  ":N(\\d+)",
  ":N(a|b)",
  "(a.*)",
  "([^/]*)",
  ":N?",
  ":N*",
  ":N+",
  ":N(\\d+)?",
  ":N((?:a|b)+)",
  "*",
  "**",
  "*?",
  "(1)?",
  "a:N",
  ":N-b",
  ":N.0",
  "a*",
  "*b",
  "{b}",
  "{b}?",
  "{a}*b",
  "a{b}?",
  "{:N}",
  "{:N}?",
  ":N?b",
  ":N*b",
  "(\\d)*b",
  "*?b",
  "{/:N}?",
  "a{/b}?",
  "a{/:N/1}*",
];
const METHODS = ["GET", "PUT", "POST"];

function randomPlainPath(random: () => number): string {
  let path = "";
  for (let length = Math.floor(random() * 5); length >= 0; length--) {
    path += "/" + (random() < 0.12 ? "" : choose(random, PLAIN));
  }
  return path;
}

function randomRequestPath(random: () => number): string {
  const path = randomPlainPath(random);
  if (random() < 0.8) return path;
  return path.replace(
    /[^/]+/g,
    (segment) => random() < 0.5 ? segment : `${segment};${choose(random, ["", "v=1", "a;b"])}`,
  );
}

function randomRoute(random: () => number, order: number): RouteSpec<string> {
  const methods = random() < 0.3 ? METHODS.filter(() => random() < 0.5) : [];
  const kind = choose<RouteKind>(random, ["prefix", "exact", "pattern", "pattern"]);
  let path = randomPlainPath(random);
  if (kind === "pattern") {
    path = "";
    const segments = random() < 0.5 ? SIMPLE : [...SIMPLE, ...RICH];
    for (let length = Math.floor(random() * 4); length >= 0; length--) path += "/" + choose(random, segments);
    if (random() < 0.2) path += "/*";
    let names = 0;
    path = path.replaceAll("N", () => `n${names++}`);
  }
  return { ...route(kind, path, ...methods), target: `#${order} ${kind} ${path}` };
}

/** Whether the path is a pattern that may be used; some of the random ones are none. */
function readable({ kind, path }: RouteSpec<string>): boolean {
  try {
    return kind !== "pattern" || parsePattern(path) !== undefined;
  } catch {
    return false;
  }
}

Deno.test("RouteTable.match() is not slowed down by the paths that are worst for the patterns that are taken", () => {
  const cases: [string, string][] = [
    ["/:a-:b!", "/" + "-".repeat(60_000)],
    ["/x/*/y/*/z", "/x" + "/y".repeat(30_000)],
    ["/(.*)(.*)b", "/" + "a".repeat(60_000)],
    ["/f/*.jpg", "/f/" + ".jp".repeat(20_000)],
    ["/u/:id(\\d+)!", "/u/" + "1".repeat(60_000)],
    ["/u/:id(\\d+)!/:b(\\d+)!", "/u/" + "1".repeat(30_000) + "!/" + "1".repeat(30_000)],
    ["/a/:rest+!", "/a" + "/b".repeat(30_000)],
    ["/:a-:b!", "/" + "-".repeat(2000)],
    ["/x/*/y/*/z", "/x" + "/y".repeat(1000)],
    ["/(.*)(.*)b", "/" + "a".repeat(2000)],
  ];
  for (const [path, worst] of cases) {
    const table = compileRoutes([route("pattern", path)]);
    const startMs = performance.now();
    assertEquals(table.match(worst, "GET"), undefined);
    // Some 10 ms alone; without bounds they take seconds to minutes.
    assert(performance.now() - startMs < 1000, `${path}: ${performance.now() - startMs} ms`);
  }
});

Deno.test("RouteTable.match() agrees with a slow obvious matcher and with URLPattern, on random routes and paths", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const seen = new Map<string, number>();
  // An oracle that never sees a kind of answer proves nothing about it, and a seed may be poor in one.
  const enough = () => ["exact", "pattern", "prefix", "405", "non"].every((outcome) => (seen.get(outcome) ?? 0) > 100);
  for (let round = 0; round < 500 || !enough(); round++) {
    assert(round < 5000, `some outcome is too rare: ${JSON.stringify([...seen])}`);
    const routes = Array.from({ length: 1 + Math.floor(random() ** 2 * 30) }, (_, i) => randomRoute(random, i))
      .filter(readable);
    const table = compileRoutes(routes);
    const judged = routes.map(judge);
    for (let i = 0; i < 25; i++) {
      const path = randomRequestPath(random);
      const method = choose(random, METHODS);
      const expected = slowMatch(judged, path, method);
      const about = `${method} ${path} (BWS_TEST_SEED=${seed}) among\n${routes.map((spec) => spec.target).join("\n")}`;
      assertEquals(found(table, path, method), expected, about);
      const outcome = expected.startsWith("#") ? expected.split(" ")[1] : expected.slice(0, 3);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
  }
});
