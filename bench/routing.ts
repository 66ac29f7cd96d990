/**
 * Time of a route look-up and of a site look-up, for 10 to 10,000 routes or names. Flat rows are the aim: what a request
 * costs must not grow with the config. Run with `deno run bench/routing.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints a table

import { matchPath } from "../lib/routing/match_path.ts";
import type { RouteSpec } from "../lib/routing/route.ts";
import { compileRoutes } from "../lib/routing/route_table.ts";
import { compileSites } from "../lib/routing/site_table.ts";

const COUNTS = [10, 100, 1000, 10_000];
/** Look-ups a measurement. */
const LOOKUPS = 300_000;

let sink = 0;

/** Nanoseconds a call of `look`, best of three. */
function measure(look: (i: number) => unknown): number {
  let best = Infinity;
  for (let round = 0; round < 4; round++) {
    const start = performance.now();
    for (let i = 0; i < LOOKUPS; i++) if (look(i) !== undefined) sink++;
    // The first round warms up.
    if (round > 0) best = Math.min(best, (performance.now() - start) * 1e6 / LOOKUPS);
  }
  return best;
}

function row(label: string, cells: (count: number) => (i: number) => unknown): void {
  const times = COUNTS.map((count) => measure(cells(count)).toFixed(0).padStart(8));
  console.log(label.padEnd(34) + times.join(""));
}

/** As many different paths as a table has routes, so that neither caches nor predictions know them all. */
function paths(count: number, path: (n: number) => string): string[] {
  return Array.from({ length: 1024 }, (_, i) => path((i * 7919) % count));
}

function routesRow(label: string, route: (n: number) => RouteSpec<number>, path: (n: number) => string): void {
  row(label, (count) => {
    const table = compileRoutes(Array.from({ length: count }, (_, n) => route(n)));
    const asked = paths(count, path);
    return (i) => table.match(asked[i & 1023], "GET");
  });
}

const prefix = (n: number): RouteSpec<number> => ({ kind: "prefix", path: `/team${n % 100}/service${n}`, target: n });
const exact = (n: number): RouteSpec<number> => ({ kind: "exact", path: `/team${n % 100}/page${n}`, target: n });
const pattern = (n: number): RouteSpec<number> => ({ kind: "pattern", path: `/v${n % 100}/r${n}/:id`, target: n });
const rich = (n: number): RouteSpec<number> => ({ kind: "pattern", path: `/v${n % 100}/r${n}/:id(\\d+)`, target: n });
const mixed = (n: number): RouteSpec<number> => [prefix, exact, pattern][n % 3](n);

console.log("ns a look-up".padEnd(34) + COUNTS.map((count) => String(count).padStart(8)).join(""));
routesRow("prefix, hit", prefix, (n) => `/team${n % 100}/service${n}/users/42`);
routesRow("prefix, miss", prefix, (n) => `/team${n % 100}/none${n}/users/42`);
routesRow("exact, hit", exact, (n) => `/team${n % 100}/page${n}`);
routesRow("exact, miss", exact, (n) => `/team${n % 100}/page${n}x`);
routesRow("pattern, hit", pattern, (n) => `/v${n % 100}/r${n}/42`);
routesRow("pattern, miss", pattern, (n) => `/v${n % 100}/r${n}/42/x`);
routesRow("pattern by URLPattern, hit", rich, (n) => `/v${n % 100}/r${n}/42`);
routesRow("pattern by URLPattern, miss", rich, (n) => `/v${n % 100}/none${n}/42`);
routesRow("a third of each, prefix hit", mixed, (n) => `/team${(n - n % 3) % 100}/service${n - n % 3}/users/42`);
routesRow("a third of each, miss", mixed, (n) => `/none/r${n}/42`);
routesRow("prefix, 8 KB of slashes", prefix, () => "/".repeat(8192));

const site = (n: number, wild: boolean) => ({ hosts: [`${wild ? "*." : ""}host${n}.test`], default: false, target: n });
function sitesRow(label: string, wild: boolean, host: (n: number) => string): void {
  row(label, (count) => {
    const table = compileSites(Array.from({ length: count }, (_, n) => site(n, wild)));
    const asked = paths(count, host);
    return (i) => table.find(asked[i & 1023]);
  });
}
sitesRow("site by name", false, (n) => `host${n}.test`);
sitesRow("site by wildcard", true, (n) => `a.b.host${n}.test`);
sitesRow("site by neither", true, (n) => `host${n}.example`);

row("matchPath, nothing encoded", () => (i) => matchPath(i % 2 === 0 ? "/team/service/users/42" : "/a/b"));
row("matchPath, encoded", () => (i) => matchPath(i % 2 === 0 ? "/team/%73ervice/users/42%2F" : "/a%20b"));
console.log(`(${sink} found)`);
