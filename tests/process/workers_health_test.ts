/**
 * What one worker finds out about an upstream holds for all of them, and is told once.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { askOften, ClosedLoop } from "../support/closed_loop.ts";
import { until } from "../support/condition.ts";
import { WorkersProxy } from "../support/running_workers.ts";
import { TallyingUpstream } from "../support/tallying_upstream.ts";

Deno.test("an ejection that one worker decides on holds for all 4, and is logged once", async () => {
  await using good = TallyingUpstream.start({ name: "good" });
  await using bad = TallyingUpstream.start({ name: "bad" });
  await using proxy = await WorkersProxy.start(4, {
    upstreams: [good.url, bad.url],
    proxy: { passive_health: { max_fails: 3, eject_for: "10m" } },
  });
  bad.status = 500;
  // All workers get failures at the same moment, and each of them could be the one that ejects.
  bad.hold();
  const loop = new ClosedLoop({ port: proxy.port, clients: 48, requests: 48 });
  await until("half of them are held", () => bad.open === 24 && good.count === 24);
  bad.letGo();
  await loop.done;
  assertEquals([...loop.statuses].toSorted(), [[200, 24], [500, 24]]);
  assertEquals(proxy.upstreams.map(({ state }) => state), ["active", "ejected"]);
  bad.reset();
  // New connections, which the system deals out among all workers.
  const after = await askOften({ port: proxy.port, clients: 60, requests: 300 });
  assertEquals([...after.statuses], [[200, 300]]);
  assertEquals(bad.count, 0);
  await until("the log has it", () => proxy.said("upstream ejected").length > 0);
  await proxy.server.stop();
  assertEquals(proxy.said("upstream ejected").length, 1);
});

Deno.test("an ejection ends with one trial at a time among 4 workers", async () => {
  await using good = TallyingUpstream.start({ name: "good" });
  await using bad = TallyingUpstream.start({ name: "bad" });
  await using proxy = await WorkersProxy.start(4, {
    upstreams: [good.url, bad.url],
    proxy: { passive_health: { max_fails: 1, eject_for: "200ms" } },
  });
  bad.status = 500;
  await until("it is ejected", () => {
    new ClosedLoop({ port: proxy.port, clients: 1, requests: 1 });
    return proxy.upstreams[1].state !== "active";
  });
  await proxy.idle();
  bad.reset();
  bad.status = 200;
  bad.hold();
  const startedMs = performance.now();
  const loop = new ClosedLoop({ port: proxy.port, clients: 48 });
  await until("a trial is under way", () => bad.count > 0);
  await until("many other requests were answered meanwhile", () => loop.answered > 500);
  assertLessOrEqual(bad.count, trialsSince(startedMs));
  bad.letGo();
  await until("it serves again", () => bad.count > 50);
  await loop.stop();
  assertEquals(loop.failed, 0);
  assertEquals(proxy.upstreams[1].state, "active");
});

Deno.test("an upstream is probed once in an interval, however many workers there are", async () => {
  await using upstream = TallyingUpstream.start();
  const intervalMs = 200;
  await using proxy = await WorkersProxy.start(4, {
    upstreams: [upstream.url],
    proxy: { health_check: { path: "/probe", interval: `${intervalMs}ms` } },
  });
  const startedMs = performance.now();
  await until("it was probed several times", () => upstream.paths.length >= 8);
  // Pauses are shortened by a tenth at the most; the first two are for finding a place within the interval.
  const most = (performance.now() - startedMs) / (0.9 * intervalMs) + 3;
  assertLessOrEqual(upstream.paths.length, most);
  assertEquals(upstream.paths.every((path) => path === "/probe"), true);
  upstream.status = 503;
  await until("all workers know that it is down", () => proxy.upstreams[0].state === "unhealthy");
  upstream.paths.length = 0;
  const down = await askOften({ port: proxy.port, clients: 40, requests: 40 });
  assertEquals([...down.statuses], [[503, 40]]);
  assertEquals(upstream.paths.includes("/"), false);
  upstream.status = 200;
  await until("it is well again", () => proxy.upstreams[0].state === "active");
  assertEquals([...(await askOften({ port: proxy.port, clients: 40, requests: 40 })).statuses], [[200, 40]]);
  await proxy.server.stop();
  assertEquals(proxy.said("upstream unhealthy").length, 1);
});

Deno.test("a breaker that one worker trips is open for all 4, and lets so many trials through, not so many each", async () => {
  await using good = TallyingUpstream.start({ name: "good" });
  await using bad = TallyingUpstream.start({ name: "bad" });
  await using proxy = await WorkersProxy.start(4, {
    upstreams: [good.url, bad.url],
    proxy: {
      passive_health: { enabled: false },
      circuit_breaker: { min_requests: 10, open_for: "1s", trial_requests: 3 },
    },
  });
  bad.status = 500;
  bad.hold();
  const failing = new ClosedLoop({ port: proxy.port, clients: 40, requests: 40 });
  await until("half of them are held", () => bad.open === 20 && good.count === 20);
  bad.letGo();
  await failing.done;
  assertEquals([...failing.statuses].toSorted(), [[200, 20], [500, 20]]);
  bad.status = 200;
  bad.hold();
  bad.reset();
  // Once its time is over, each of 4 workers wants to try it.
  const startedMs = performance.now();
  const loop = new ClosedLoop({ port: proxy.port, clients: 40 });
  await until("trials are under way", () => bad.count >= 3);
  await until("many other requests were answered meanwhile", () => loop.answered > 500);
  assertLessOrEqual(bad.count, 3 * trialsSince(startedMs));
  assertEquals(proxy.upstreams[1].state, "breaker_half_open");
  bad.letGo();
  await until("it serves again", () => bad.count > 50);
  await loop.stop();
  assertEquals(loop.failed, 0);
  assertEquals(proxy.upstreams[1].state, "active");
  await proxy.server.stop();
  assertEquals(proxy.said("circuit breaker opened").length, 1);
  assertEquals(proxy.said("circuit breaker closed").length, 1);
});

/** How many trials one after another there may have been: an attempt that takes 5 seconds is no trial any more. */
function trialsSince(startedMs: number): number {
  return 1 + Math.floor((performance.now() - startedMs) / 5000);
}
