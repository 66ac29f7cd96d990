// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import type { Connection } from "../../../lib/upstream/connection/connection.ts";
import { ConnectionPool } from "../../../lib/upstream/connection/connection_pool.ts";
import { type DialEntry, DialLimit, DialQueue } from "../../../lib/upstream/connection/dial_queue.ts";
import { localMetricFields } from "../../../lib/metrics/metric_fields.ts";
import { UPSTREAM_METRICS, type UpstreamMetrics } from "../../../lib/upstream/upstream_metrics.ts";
import { parseEndpoint } from "../../../lib/sockets/endpoint.ts";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import { BlackHole } from "../../support/black_hole.ts";
import { AskingUser } from "../../support/asking_user.ts";
import { someTurns, until } from "../../support/condition.ts";
import { OwnAddress } from "../../support/own_address.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";

const LIMITS = {
  ...{ readTimeoutMs: 5000, writeTimeoutMs: 5000, clientTimeoutMs: 5000 },
  ...{ idle_timeout: 60_000, maxHeadBytes: 65_536, max_idle: 64 },
};

function poolOf(url: string, dialLimit: DialLimit, metrics?: UpstreamMetrics): ConnectionPool {
  return new ConnectionPool(parseEndpoint(url), { ...LIMITS, dialLimit, metrics }, new CoarseClock());
}

Deno.test("DialQueue starts no more than its bound, oldest first, and each as soon as another has ended", () => {
  const started: number[] = [];
  const queue = new DialQueue(new DialLimit(), 2);
  const entries: DialEntry[] = Array.from({ length: 5 }, (_, i) => ({ start: () => void started.push(i) }));
  for (const entry of entries) queue.add(entry);
  assertEquals([started, queue.length, queue.running], [[0, 1], 3, 2]);
  assert(queue.remove(entries[2]));
  assert(!queue.remove(entries[0]));
  queue.ended();
  assertEquals(started, [0, 1, 3]);
  queue.ended();
  queue.ended();
  queue.ended();
  assertEquals([started, queue.length, queue.running], [[0, 1, 3, 4], 0, 0]);
});

Deno.test("DialLimit bounds all queues together, and lets them take turns", () => {
  const limit = new DialLimit(2);
  const one = new DialQueue(limit);
  const other = new DialQueue(limit);
  const started: string[] = [];
  for (let i = 0; i < 4; i++) one.add({ start: () => void started.push(`a${i}`) });
  for (let i = 0; i < 4; i++) other.add({ start: () => void started.push(`b${i}`) });
  assertEquals(started, ["a0", "a1"]);
  one.ended();
  one.ended();
  assertEquals(started.toSorted(), ["a0", "a1", "a2", "b0"]);
  while (one.running + other.running > 0) (one.running > 0 ? one : other).ended();
  assertEquals(started.length, 8);
});

Deno.test("a burst of waits is dialled in parts, and all get a connection", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  const metrics = UPSTREAM_METRICS.take(localMetricFields(), "upstream");
  const pool = poolOf(upstream.url, new DialLimit(10), metrics);
  let dialling = 0;
  let most = 0;
  const waits = Array.from({ length: 300 }, () => {
    const wait = pool.obtain({ fresh: false, timeoutMs: 60_000, onDialling: () => most = Math.max(most, ++dialling) });
    wait.result.then(() => dialling--);
    return wait.result;
  });
  assertEquals(dialling, 10);
  const connections = await Promise.all(waits);
  // The next ones start before this test hears of those that have ended.
  assertLessOrEqual(most, 20);
  assertEquals(metrics.snapshot().connections, { open: 300, idle: 0 });
  for (const connection of connections) connection.close();
});

Deno.test("a wait in the queue takes a connection that is given back", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    while (await peer.request() !== undefined) await peer.send(answerOf("ok"));
  });
  const limit = new DialLimit(1);
  const pool = poolOf(upstream.url, limit);
  const used = await pool.obtain({ fresh: false, timeoutMs: 60_000 }).result;
  // Another upstream's dials take all places.
  limit.take(new DialQueue(limit));
  const dialled: string[] = [];
  const fresh = pool.obtain({ fresh: true, timeoutMs: 60_000, onDialling: () => dialled.push("fresh") });
  const any = pool.obtain({ fresh: false, timeoutMs: 60_000, onDialling: () => dialled.push("any") });
  await AskingUser.ask(used);
  used.wholeBody();
  pool.release(used, true);
  assertEquals(await any.result, used as Connection);
  fresh.leave();
  assertEquals((await assertRejects(() => fresh.result, TransportFailure)).kind, "client_left");
  // Neither is in the queue any more: a free place goes to the next wait.
  const next = pool.obtain({ fresh: true, timeoutMs: 60_000, onDialling: () => dialled.push("next") });
  limit.release();
  (await next.result).close();
  assertEquals(dialled, ["next"]);
  used.close();
});

Deno.test("a wait that has no turn in its time fails as a failure of the proxy", async () => {
  const limit = new DialLimit(1);
  limit.take(new DialQueue(limit));
  const wait = poolOf("http://127.0.0.1:1", limit).obtain({ fresh: false, timeoutMs: 100 });
  // Its own timer keeps no process alive.
  const alive = setTimeout(() => {}, 60_000);
  const failure = await assertRejects(() => wait.result, TransportFailure);
  clearTimeout(alive);
  assertEquals([failure.kind, failure.owner], ["dial_queue", "proxy"]);
});

Deno.test("the failure of a dial is reported even when nobody waits for it any more, and its connection is closed otherwise", async () => {
  const own = new OwnAddress();
  using hole = await BlackHole.open(own.address);
  const before = own.openSockets();
  const failures: string[] = [];
  const late = poolOf(hole.url, new DialLimit()).obtain({
    ...{ fresh: false, timeoutMs: 100 },
    onLateFailure: ({ kind }) => failures.push(kind),
  });
  late.leave();
  await late.result.catch(() => {});
  await until("it has been told", () => failures.length === 1);
  assertEquals(failures, ["connect_timeout"]);
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  const wait = poolOf(upstream.url, new DialLimit()).obtain({ fresh: false, timeoutMs: 5000 });
  wait.leave();
  await wait.result.catch(() => {});
  await until("it was dialled and closed", () => upstream.connections === 1 && upstream.open === 0);
  // What hangs is given up a quarter of a second after its time.
  await until("nothing hangs", () => own.openSockets() <= before);
  if (before === -1) await new Promise((resolve) => setTimeout(resolve, 400));
  await someTurns();
});
