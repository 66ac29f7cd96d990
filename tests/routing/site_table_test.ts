// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { compileSites, type SiteSpec } from "../../lib/routing/site_table.ts";
import { choose, seededRandom, testSeed } from "../contract/seeded_random.ts";
import { quickestMs } from "../support/quickest.ts";

function site(target: string, ...hosts: string[]): SiteSpec<string> {
  return { hosts, default: false, target };
}

Deno.test("SiteTable.find() puts exact names before wildcards", () => {
  const table = compileSites([site("wild", "*.example.com"), site("exact", "a.example.com"), site("first in vain")]);
  assertEquals(table.find("a.example.com"), "exact");
  assertEquals(table.find("b.example.com"), "wild");
});

Deno.test("SiteTable.find() matches a wildcard with one or more labels, not with none", () => {
  const table = compileSites([site("other"), site("wild", "*.example.com")]);
  for (const host of ["a.example.com", "b.a.example.com", "a.b.c.d.example.com"]) {
    assertEquals(table.find(host), "wild");
  }
  for (const host of ["example.com", ".example.com", "aexample.com", "a.example.com.org", "com", ""]) {
    assertEquals(table.find(host), "other", host);
  }
});

Deno.test("SiteTable.find() takes the most specific wildcard", () => {
  const table = compileSites([site("com", "*.com"), site("example", "*.example.com"), site("a", "*.a.example.com")]);
  assertEquals(table.find("x.com"), "com");
  assertEquals(table.find("example.com"), "com");
  assertEquals(table.find("x.example.com"), "example");
  assertEquals(table.find("a.example.com"), "example");
  assertEquals(table.find("y.x.a.example.com"), "a");
});

Deno.test("SiteTable.find() falls back to the default, then to a site for all names, then to the first", () => {
  const first = site("first", "a.test");
  const all = site("all", "*");
  const unnamed = site("unnamed");
  const marked = { ...site("marked", "b.test"), default: true };
  assertEquals(compileSites([first, all, unnamed, marked]).find("x.test"), "marked");
  assertEquals(compileSites([first, all, unnamed]).find("x.test"), "all");
  assertEquals(compileSites([first, unnamed, all]).find("x.test"), "unnamed");
  assertEquals(compileSites([first, site("second", "b.test")]).find("x.test"), "first");
  assertEquals(compileSites([first, marked]).find("a.test"), "first");
});

Deno.test("SiteTable.find() gives a name to the first site that has it, and compares without case", () => {
  const table = compileSites([site("one", "A.Test", "*.B.Test"), site("two", "a.test", "*.b.test")]);
  assertEquals(table.find("a.test"), "one");
  assertEquals(table.find("x.b.test"), "one");
});

Deno.test("SiteTable.find() takes addresses and names without dots", () => {
  const table = compileSites([site("v6", "[::1]"), site("v4", "127.0.0.1"), site("local", "localhost")]);
  assertEquals(table.find("[::1]"), "v6");
  assertEquals(table.find("127.0.0.1"), "v4");
  assertEquals(table.find("localhost"), "local");
});

Deno.test("compileSites() refuses an empty list", () => {
  assertThrows(() => compileSites([]), RangeError, "found none, expected one or more");
});

Deno.test("SiteTable.find() is not slowed down by hosts of thousands of labels", () => {
  const table = compileSites([site("other"), site("wild", "*.example.com", "*.a.b.c.d.e.example.com")]);
  const hosts = ["a.".repeat(4000) + "example.com", ".".repeat(8000), "a".repeat(8000), "a." + "b".repeat(8000)];
  for (const host of hosts) {
    const tookMs = quickestMs(500, () => {
      for (let i = 0; i < 1000; i++) table.find(host);
    });
    // A millisecond or so; walking the labels would take seconds.
    assertLess(tookMs, 500, host.slice(0, 10));
  }
  assertEquals(table.find(hosts[0]), "wild");
});

Deno.test("SiteTable.find() agrees with a slow obvious matcher, on random sites and hosts", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const randomHost = () => {
    const labels = Array.from(
      { length: Math.floor(random() * 5) + 1 },
      () => choose(random, ["a", "b", "com", "x-y", ""]),
    );
    return labels.join(".");
  };
  for (let round = 0; round < 3000; round++) {
    const sites = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, i): SiteSpec<string> => ({
      hosts: Array.from({ length: Math.floor(random() * 4) }, () => {
        const kind = random();
        return kind < 0.05 ? "*" : kind < 0.5 ? "*." + randomHost() : randomHost();
      }),
      default: random() < 0.1,
      target: `site ${i}`,
    }));
    const table = compileSites(sites);
    for (let i = 0; i < 20; i++) {
      const host = randomHost();
      const about = `${host} (BWS_TEST_SEED=${seed}) among ${JSON.stringify(sites)}`;
      assertEquals(table.find(host), slowFind(sites, host), about);
    }
  }
});

function slowFind(sites: readonly SiteSpec<string>[], host: string): string {
  for (const { hosts, target } of sites) if (hosts.includes(host)) return target;
  let best: { length: number; target: string } | undefined;
  for (const { hosts, target } of sites) {
    for (const name of hosts) {
      const matches = name.startsWith("*.") && host.endsWith(name.slice(1)) && host.length >= name.length;
      if (matches && name.length > (best?.length ?? 0)) best = { length: name.length, target };
    }
  }
  if (best !== undefined) return best.target;
  const fallback = sites.find((site) => site.default) ??
    sites.find((site) => site.hosts.length === 0 || site.hosts.includes("*")) ?? sites[0];
  return fallback.target;
}
