// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { createPolicy } from "../../lib/upstream/balancer/registry.ts";
import type { RequestHead } from "../../lib/http/message.ts";
import { TransportFailure } from "../../lib/failure/failure.ts";
import type { StatusRange } from "../../lib/http/status_range.ts";
import { Pool, type PoolOptions } from "../../lib/upstream/pool.ts";
import type { Upstream } from "../../lib/upstream/upstream.ts";
import type { UpstreamOptions } from "../../lib/upstream/upstream.ts";
import { jump } from "../support/time_jump.ts";
import { upstreamAt } from "./health/probed_upstream.ts";

const EJECT_MS = 60_000;
const passiveHealth = {
  ...{
    enabled: true,
    max_ejected_percent: 50,
    max_fails: 1,
    fail_window: 600_000,
    eject_for: EJECT_MS,
    max_eject_for: 10 * EJECT_MS,
  },
  ...{ slow_after: 0, fail_status: [[500, 599]] satisfies StatusRange[] },
};
const head: RequestHead = {
  ...{ method: "GET", path: "/", query: "", authority: "a", host: "a", scheme: "http" as const, headers: [] },
  peer: { address: "127.0.0.1", port: 1 },
};
const request = { head, clientAddress: "127.0.0.1" };

/** Upstreams `http://127.0.0.1:1` and so on, in turns. */
function poolOf(count: number, upstream: (n: number) => Partial<UpstreamOptions>, options: Partial<PoolOptions> = {}) {
  const upstreams = Array.from(
    { length: count },
    (_, n) => upstreamAt(`http://127.0.0.1:${n + 1}`, { passiveHealth, ...upstream(n) }),
  );
  const pool = new Pool({
    name: "p",
    upstreams,
    createPolicy: (members) => createPolicy("round_robin", members),
    connections: { queue_size: 0, queue_timeout: 1 },
    passiveHealth: { max_ejected_percent: 50 },
    loadBalancing: { when_all_unhealthy: "reject" },
    ...options,
  });
  /** Which upstream takes the next attempt, from 0; -1 for none. The place is given back at once. */
  const taken = (...avoid: readonly Upstream[]) => {
    using slot = pool.acquire(request, avoid);
    return slot === undefined ? -1 : upstreams.indexOf(slot.upstream);
  };
  const turns = (times: number) => Array.from({ length: times }, () => taken());
  return { pool, upstreams, taken, turns };
}

Deno.test("Pool.acquire() keeps away from an ejected upstream, and tries it once its time is over", () => {
  const { upstreams, turns } = poolOf(2, () => ({}));
  upstreams[0].failed("broken");
  assertEquals(turns(4), [1, 1, 1, 1]);
  jump(EJECT_MS);
  assertEquals(new Set(turns(2)), new Set([0, 1]));
  assertEquals(upstreams[0].state, "on_trial");
});

Deno.test("Pool.acquire() gives an upstream on trial one attempt at a time", () => {
  const { pool, upstreams, turns } = poolOf(2, () => ({}));
  upstreams[0].failed("broken");
  jump(EJECT_MS);
  const held = [pool.acquire(request), pool.acquire(request)];
  assertEquals(turns(4), [1, 1, 1, 1]);
  for (const slot of held) slot?.release();
  assertEquals(new Set(turns(2)), new Set([0, 1]));
});

Deno.test("a trial has a time of its own, and its outcome counts also after that", () => {
  const { pool, upstreams } = poolOf(2, () => ({}));
  const [one, two] = upstreams;
  one.failed("broken");
  jump(EJECT_MS);
  const timers: (() => void)[] = [];
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((then: () => void) => timers.push(then)) as unknown as typeof setTimeout;
  const trial = pool.acquire(request, [two]);
  globalThis.setTimeout = setTimeout;
  assertEquals([one.state, one.available, timers.length], ["on_trial", false, 1]);
  for (const run of timers) run();
  assertEquals(one.available, true);
  using next = pool.acquire(request, [two]);
  assertEquals([next?.upstream === one, one.available], [true, false]);
  trial?.failed(new TransportFailure("read_timeout", ""), false);
  trial?.release();
  assertEquals([one.state, one.inFlight], ["ejected", 1]);
});

Deno.test("a trial gives its place back with the head of its response", () => {
  const { pool, upstreams } = poolOf(2, () => ({}));
  const [one, two] = upstreams;
  one.failed("broken");
  jump(EJECT_MS);
  using trial = pool.acquire(request, [two]);
  trial?.responded(200, 1);
  assertEquals([one.state, one.available, one.inFlight], ["active", true, 1]);
});

Deno.test("Pool.acquire() tries an ejected upstream before it gives none, but never one to be avoided", () => {
  const { upstreams, taken } = poolOf(2, () => ({}));
  upstreams[0].failed("unreachable");
  upstreams[1].failed("unreachable");
  assertEquals(upstreams.map(({ condition }) => condition.ejected), [true, true]);
  assertEquals([taken(upstreams[0]), taken(upstreams[1]), taken(...upstreams)], [1, 0, -1]);
});

Deno.test("a last resort that responds well is back", () => {
  const { pool, upstreams } = poolOf(2, () => ({}));
  for (const upstream of upstreams) upstream.failed("unreachable");
  using slot = pool.acquire(request, [upstreams[1]]);
  slot?.responded(200, 1);
  assertEquals(upstreams.map(({ condition }) => condition.ejected), [false, true]);
});

Deno.test("attempts that began before an ejection do not decide a trial", () => {
  const { pool, upstreams } = poolOf(2, () => ({}));
  const [one, two] = upstreams;
  const late = pool.acquire(request, [two]);
  one.failed("timeout");
  jump(EJECT_MS);
  using trial = pool.acquire(request, [two]);
  assertEquals([one.state, late?.upstream === trial?.upstream], ["on_trial", true]);
  late?.failed(new TransportFailure("read_timeout", ""), false);
  late?.release();
  assertEquals(one.state, "on_trial");
  trial?.failed(new TransportFailure("read_timeout", ""), false);
  assertEquals(one.state, "ejected");
});

Deno.test("attempts that began before a breaker opened neither close nor open it when it is half open", () => {
  const circuitBreaker = {
    ...{ enabled: true, max_in_flight: 0, failure_ratio: 0.5, min_requests: 2, window: 10_000, open_for: 30_000 },
    ...{ slow_after: 0, slow_ratio: 1, trial_requests: 1 },
  };
  const { pool, upstreams } = poolOf(1, () => ({ circuitBreaker }));
  const [one] = upstreams;
  const late = [pool.acquire(request), pool.acquire(request)];
  for (let i = 0; i < 2; i++) one.failed("broken");
  jump(30_000);
  using trial = pool.acquire(request);
  assertEquals(one.state, "breaker_half_open");
  late[0]?.responded(200, 1);
  late[1]?.failed(new TransportFailure("read_timeout", ""), false);
  for (const slot of late) slot?.release();
  assertEquals(one.state, "breaker_half_open");
  trial?.responded(200, 1);
  assertEquals(one.state, "active");
});

Deno.test("a pool of one does not eject it", () => {
  const { upstreams, turns } = poolOf(1, () => ({}));
  for (let i = 0; i < 10; i++) upstreams[0].failed("unreachable");
  assertEquals([upstreams[0].state, turns(2)], ["active", [0, 0]]);
});

Deno.test("a pool ejects no more than its share, and at least one where it may eject any", () => {
  for (const [percent, ejected] of [[0, 0], [10, 1], [50, 2], [100, 4]]) {
    const { upstreams } = poolOf(4, () => ({}), { passiveHealth: { max_ejected_percent: percent } });
    for (const upstream of upstreams) upstream.failed("status");
    assertEquals(upstreams.filter((upstream) => upstream.condition.ejected).length, ejected, `${percent} %`);
  }
});

Deno.test("Pool.acquire() takes backups only when no other can, and goes back", () => {
  const { upstreams, turns, taken } = poolOf(3, (n) => ({ backup: n > 0 }));
  assertEquals(turns(4), [0, 0, 0, 0]);
  assertEquals(new Set([taken(upstreams[0]), taken(upstreams[0])]), new Set([1, 2]));
  upstreams[0].condition.setAdminState("draining");
  assertEquals(new Set(turns(4)), new Set([1, 2]));
  upstreams[0].condition.setAdminState("active");
  assertEquals(turns(4), [0, 0, 0, 0]);
});

Deno.test("Pool.acquire() gives a rising upstream a share that grows", () => {
  let draw = 0;
  // As even as numbers can be, so that shares come out exactly.
  const random = () => (draw++ % 10) / 10;
  const { upstreams, turns } = poolOf(2, () => ({ loadBalancing: { slow_start: 1_000_000 } }), { random });
  const share = () => turns(40).filter((index) => index === 0).length;
  assertEquals(share(), 20);
  upstreams[0].failed("broken");
  jump(EJECT_MS);
  upstreams[0].condition.probed(true);
  assertEquals([upstreams[0].state, share()], ["slow_start", 2]);
  jump(500_000);
  assertEquals(Math.abs(share() - 10) <= 2, true);
  jump(500_000);
  assertEquals([share(), upstreams[0].state], [20, "active"]);
});

Deno.test("Pool.acquire() gives a rising upstream all when there is no other", () => {
  const { upstreams, turns } = poolOf(1, () => ({ loadBalancing: { slow_start: 1_000_000 } }), { random: () => 0.99 });
  upstreams[0].condition.startSlowly();
  assertEquals(turns(5), Array(5).fill(0));
});

Deno.test("Pool.acquire() tries upstreams that are not healthy only in a panic", () => {
  for (const when_all_unhealthy of ["reject", "try_anyway"] as const) {
    const panics = when_all_unhealthy === "try_anyway";
    const { upstreams, turns, taken } = poolOf(2, () => ({}), { loadBalancing: { when_all_unhealthy } });
    upstreams[0].condition.probed(false);
    assertEquals(turns(4), [1, 1, 1, 1]);
    upstreams[1].condition.probed(false);
    assertEquals(taken() >= 0, panics);
    assertEquals(taken(upstreams[0]), panics ? 1 : -1);
    for (const upstream of upstreams) upstream.condition.setAdminState("maintenance");
    assertEquals(taken(), -1);
  }
});

Deno.test("Pool.acquire() lets a request wait for the one upstream that is only full", () => {
  const { pool, upstreams, taken } = poolOf(2, () => ({ maxConnections: 1 }));
  upstreams[0].failed("broken");
  using _held = pool.acquire(request);
  // The ejected one is no last resort while the other will have room again.
  assertEquals([taken(), pool.busy(undefined), pool.busy([upstreams[1]])], [-1, true, false]);
});

Deno.test("Pool.retryAfterSeconds is when the first upstream may be back", () => {
  const { pool, upstreams } = poolOf(2, (n) => ({ passiveHealth: { ...passiveHealth, eject_for: (n + 1) * 30_000 } }));
  assertEquals(pool.retryAfterSeconds, 1);
  for (const upstream of upstreams) upstream.failed("unreachable");
  assertEquals(pool.retryAfterSeconds, 30);
  jump(29_500);
  assertEquals(pool.retryAfterSeconds, 1);
});
