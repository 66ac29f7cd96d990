// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Page } from "../../../lib/handlers/files/page.ts";
import { FRESH_MS, PageCache } from "../../../lib/handlers/files/page_cache.ts";
import { represent } from "../../../lib/handlers/files/representation.ts";
import { ask, headOf, patternBytes, SiteFolder } from "./site_folder.ts";

function pageOf(path: string, length: number, checkedAtMs = 0): Page {
  const stamp = { sizeBytes: length, modifiedMs: 0, changedMs: 0, device: 1, inode: 1 };
  const found = { kind: "file", path, realPath: path, stamp } as const;
  const options = { contentType: "text/plain", coding: "", varies: false, lines: [], nowMs: 0 } as const;
  const identity = represent(found, options);
  identity.bytes = new Uint8Array(length);
  return { identity, coded: [], checkedAtMs };
}

Deno.test("PageCache.look() shares one look among callers and keeps nothing of what is not there", async () => {
  let looks = 0;
  const found = Promise.withResolvers<Page | undefined>();
  const pages = new PageCache(1e6, () => {
    looks++;
    return found.promise;
  });
  const answers = Promise.all([pages.look("/a"), pages.look("/a"), pages.look("/a")]);
  found.resolve(undefined);
  assertEquals(await answers, [undefined, undefined, undefined]);
  assertEquals([looks, pages.totalBytes, pages.fresh("/a", 0)], [1, 0, undefined]);
  await pages.look("/a");
  assertStrictEquals(looks, 2);
});

Deno.test("PageCache.fresh() begins one check of a page in use before it is too old, and gives the page meanwhile", async () => {
  const [first, second] = [pageOf("/a", 1, 1000), pageOf("/a", 1, 1200)];
  const checks: PromiseWithResolvers<Page | undefined>[] = [];
  const pages = new PageCache(1e6, () => {
    checks.push(Promise.withResolvers());
    return checks[checks.length - 1].promise;
  });
  const look = pages.look("/a");
  checks[0].resolve(first);
  await look;
  assertStrictEquals(pages.fresh("/a", 1199), first);
  assertStrictEquals(checks.length, 1);
  for (const nowMs of [1200, 1210, 1249]) assertStrictEquals(pages.fresh("/a", nowMs), first);
  assertStrictEquals(pages.fresh("/a", 1250), undefined);
  assertStrictEquals(checks.length, 2);
  // Requests that find the page too old share that check.
  const late = pages.look("/a");
  assertStrictEquals(checks.length, 2);
  checks[1].resolve(second);
  assertStrictEquals(await late, second);
  assertStrictEquals(pages.fresh("/a", 1300), second);
  // A check that fails is not reported where nobody waits for it, and is made again.
  pages.fresh("/a", 1400);
  checks[2].reject(new Error("unreadable"));
  await checks[2].promise.catch(() => {});
  await Promise.resolve();
  assertStrictEquals(pages.fresh("/a", 1449), second);
  assertStrictEquals(pages.fresh("/a", 1450), undefined);
});

Deno.test("PageCache.fresh() gives a page for 250 ms and none before its time", async () => {
  const page = pageOf("/a", 1, 1000);
  const pages = new PageCache(1e6, () => Promise.resolve(page));
  await pages.look("/a");
  assertStrictEquals(FRESH_MS, 250);
  assertStrictEquals(pages.fresh("/a", 1000), page);
  assertStrictEquals(pages.fresh("/a", 1249), page);
  assertStrictEquals(pages.fresh("/a", 1250), undefined);
  assertStrictEquals(pages.fresh("/a", 999), undefined);
});

Deno.test("PageCache never exceeds its bytes and lets go of what was looked at longest ago", async () => {
  const pages = new PageCache(100_000, (path) => Promise.resolve(pageOf(path, 20_000)));
  for (const path of ["/1", "/2", "/3", "/4"]) await pages.look(path);
  await pages.look("/1"); // in use: looked at again
  await pages.look("/5");
  assertEquals(["/1", "/2", "/3", "/4", "/5"].filter((path) => pages.fresh(path, 0) !== undefined), [
    "/1",
    "/3",
    "/4",
    "/5",
  ]);
  for (let i = 0; i < 100; i++) {
    await pages.look(`/${i}`);
    assert(pages.totalBytes <= 100_000);
  }
  const huge = pageOf("/huge", 20_000);
  const bounded = new PageCache(30_000, () => Promise.resolve(huge));
  await bounded.look("/huge");
  huge.identity.bytes = new Uint8Array(40_000);
  bounded.recount("/huge", huge);
  assertEquals([bounded.totalBytes, bounded.fresh("/huge", 0)], [0, undefined]);
});

Deno.test("PageCache.look() that fails leaves the next one to try again", async () => {
  let fails = true;
  const pages = new PageCache(
    1e6,
    (path) => fails ? Promise.reject(new Error("disk")) : Promise.resolve(pageOf(path, 1)),
  );
  assertStrictEquals(await pages.look("/a").catch((error: Error) => error.message), "disk");
  fails = false;
  assert(await pages.look("/a") !== undefined);
});

Deno.test("a file in memory is sent as it was for 250 ms, and as it is after that", async () => {
  await using site = await SiteFolder.make({ "a.txt": "old" });
  let now = Date.now();
  const files = site.serve({ nowMs: () => now });
  assertStrictEquals((await ask(files, "/a.txt")).text, "old");
  await site.write("a.txt", "new!", new Date(Date.UTC(2025, 0, 1)));
  now += 249;
  assertStrictEquals((await ask(files, "/a.txt")).text, "old");
  now += 1;
  const waiting = await Promise.all(Array.from({ length: 20 }, () => ask(files, "/a.txt")));
  for (const got of waiting) assertEquals([got.text, got.header("content-length")], ["new!", "4"]);
  await site.write("a.txt.gz", "GZ");
  await Deno.remove(`${site.root}/a.txt`);
  now += 250;
  assertStrictEquals((await ask(files, "/a.txt")).status, 404);
  await site.write("a.txt", "back");
  assertStrictEquals((await ask(files, "/a.txt", { headers: ["accept-encoding", "gzip"] })).text, "GZ");
});

Deno.test("a file that was read in the tick of its last change is read again, though its stamp is the same", async () => {
  await using site = await SiteFolder.make();
  let now = Date.now();
  const time = new Date(now - 100);
  await site.write("a.txt", "one", time);
  const files = site.serve({ nowMs: () => now });
  assertStrictEquals((await ask(files, "/a.txt")).text, "one");
  await site.write("a.txt", "two", time);
  now += 250;
  assertStrictEquals((await ask(files, "/a.txt")).text, "two");
});

Deno.test("a file that has not changed is not read again", async () => {
  await using site = await SiteFolder.make({ "a.txt": "hello" });
  let now = Date.now();
  const files = site.serve({ nowMs: () => now });
  const first = (await ask(files, "/a.txt")).answer.body;
  now += 250;
  assert(files.serve(headOf("/a.txt")) instanceof Promise);
  assertStrictEquals((await ask(files, "/a.txt")).answer.body, first);
});

Deno.test("first reads at the same time share one read", async () => {
  await using site = await SiteFolder.make({ "a.txt": "hello" });
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(site.serve(), "/a.txt")));
  for (const got of answers) assertStrictEquals(got.text, "hello");
  const files = site.serve();
  const bodies = await Promise.all(Array.from({ length: 50 }, () => ask(files, "/a.txt")));
  assertStrictEquals(new Set(bodies.map((got) => got.answer.body)).size, 1);
});

Deno.test("files above the limits are sent nevertheless", async () => {
  const content = patternBytes(5000);
  await using site = await SiteFolder.make({ "a.bin": content });
  for (const options of [{ hotCacheBytes: 0 }, { hotFileMaxBytes: 0 }, { hotCacheBytes: 3000 }]) {
    const files = site.serve(options);
    for (let time = 0; time < 2; time++) assertEquals((await ask(files, "/a.bin")).body, content);
  }
});
