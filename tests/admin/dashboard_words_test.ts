// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLeft,
  formatMs,
  formatShare,
} from "../../lib/admin/dashboard/page/format.js";
import { Model } from "../../lib/admin/dashboard/page/model.js";
import { poolLabels } from "../../lib/admin/dashboard/page/pool_labels.js";
import { countTroubles, troublesOf, verdictOf } from "../../lib/admin/dashboard/page/problems.js";
import { readSnapshots } from "../../lib/admin/dashboard/page/snapshot_stream.js";
import { BY_GRAVITY, probesOf, STATES, timeLeft } from "../../lib/admin/dashboard/page/upstream_states.js";
import { UPSTREAM_STATES } from "../../lib/upstream/condition/upstream_states.ts";
import { FakeWorld } from "../support/fake_world.ts";

Deno.test("Figures are short, and no rounding makes one longer", () => {
  assertEquals([0, 0.04, 9.94, 9.96, 999.6, 12_345, 99_999, 99_999.6, 1_234_567, 48_211_532].map(formatCount), [
    ...["0", "<0.1", "9.9", "10", "1,000", "12,345", "99,999", "100k", "1.23M", "48.2M"],
  ]);
  assertEquals([0, 0.0004, 0.0125, 0.0996, 0.5, 0.9951, 0.9999, 1].map(formatShare), [
    "0 %",
    "<0.1 %",
    "1.3 %",
    "10 %",
    "50 %",
    "99.5 %",
    "99.9 %",
    "100 %",
  ]);
  assertEquals([null, 0.4, 9.96, 999.4, 999.6, 9960, 60_000].map(formatMs), [
    "–",
    "0.4 ms",
    "10 ms",
    "999 ms",
    "1.00 s",
    "10.0 s",
    "≥60 s",
  ]);
  assertEquals([12, 999_600, 118e6, 2.34e9].map(formatBytes), ["12 B", "1.0 MB", "118 MB", "2.3 GB"]);
  assertEquals([8000, 125_000, 7_400_000, 266_400_000].map(formatDuration), [
    "8 s",
    "2 min 5 s",
    "2 h 3 min",
    "3 d 2 h",
  ]);
  assertEquals([1, 1001, 119_000, 150_000].map(formatLeft), ["1 s", "2 s", "119 s", "3 min"]);
});

Deno.test("the dashboard has the states of upstreams in their one order, and the gravest first where it sorts", () => {
  assertEquals(Object.keys(STATES), [...UPSTREAM_STATES]);
  assertEquals(BY_GRAVITY, [
    ...["unhealthy", "breaker_open", "ejected", "on_trial", "breaker_half_open"] as const,
    ...["maintenance", "draining", "slow_start", "active"] as const,
  ]);
});

Deno.test("troublesOf() tells of certificates in files that expire within 14 days", () => {
  const world = new FakeWorld();
  const file = { origin: "file", ordering: false, onDemand: false, renewInMs: null, problem: null } as const;
  const day = 86_400_000;
  world.certificates = [
    { ...file, name: "late.example", expiresInMs: -day },
    { ...file, name: "soon.example", expiresInMs: 13 * day },
    { ...file, name: "fine.example", expiresInMs: 15 * day },
    { ...file, name: "issued.example", origin: "acme", expiresInMs: day },
  ];
  const told = troublesOf(world.snapshot()).filter(({ kind }) => kind === "certificate");
  assertEquals(told.map(({ tone, title, left }) => `${tone} ${title} ${left}`.trim()), [
    "bad The certificate of late.example has expired",
    "warn The certificate of soon.example expires soon 13 d 0 h left",
  ]);
});

Deno.test("troublesOf() tells of certificates that cannot be had, in the words of the authority", () => {
  const world = new FakeWorld();
  const none = { origin: "acme", ordering: false, onDemand: false, expiresInMs: null, renewInMs: null } as const;
  const problem = { message: "letsencrypt: dns: no address", atMs: 1, failures: 1, nextTryInMs: 300_000 };
  const dayMs = 86_400_000;
  world.certificates = [
    { ...none, name: "well.example", expiresInMs: 60 * dayMs, problem: null },
    { ...none, name: "old.example", expiresInMs: 20 * dayMs, problem },
    { ...none, name: "new.example", problem },
  ];
  assertEquals(
    troublesOf(world.snapshot()).map(({ tone, title, detail, left }) => `${tone} ${title}: ${detail}, ${left}`),
    [
      "bad new.example has no certificate: letsencrypt: dns: no address, next try in 5 min",
      "warn old.example: its certificate cannot be renewed: letsencrypt: dns: no address; the one before expires in 20 d 0 h, next try in 5 min",
    ],
  );
  world.certificates = Array.from({ length: 9 }, (_, i) => ({ ...none, name: `${i}.example`, problem }));
  assertEquals(troublesOf(world.snapshot()).map(({ tone, title, detail }) => `${tone} ${title}: ${detail}`), [
    "bad 9 certificates cannot be had: 0.example, 1.example, 2.example and 6 more, the first for: letsencrypt: dns: no address",
  ]);
});

Deno.test("troublesOf() finds nothing at rest, and then the gravest first", () => {
  const world = new FakeWorld();
  assertEquals(troublesOf(world.snapshot()), []);
  Object.assign(world.upstream("web.0"), { adminState: "maintenance" });
  Object.assign(world.upstream("web.1"), { breaker: "half_open" });
  Object.assign(world.upstream("web.2"), { ejectedForMs: 5000, lastFailure: "5 consecutive 5xx" });
  for (const name of ["legacy.0", "legacy.1"]) world.kill(world.upstream(name));
  const troubles = troublesOf(world.snapshot());
  assertEquals(troubles.map(({ tone, title }) => `${tone} ${title}`), [
    "bad Pool legacy is down",
    "bad Site shop: 26 % of its requests fail",
    "bad 10.0.0.13:8080: ejected",
    "bad 10.2.0.11:8080: unhealthy",
    "bad 10.2.0.12:8080: unhealthy",
    "warn 10.0.0.12:8080: breaker half open",
    "note 10.0.0.11:8080: maintenance",
  ]);
  assertEquals(countTroubles(troubles), 6);
  assertEquals([troubles[2].detail, troubles[2].left], ["pool web, 5 consecutive 5xx", "5 s"]);
});

Deno.test("troublesOf() names a port that is closed before all else, and why", () => {
  const world = new FakeWorld();
  world.kill(world.upstream("api.2"));
  world.port = { ...world.port, open: false, closedForMs: 61_000, reason: "Too many open files (os error 24)" };
  const [first] = troublesOf(world.snapshot());
  assertEquals([first.tone, first.kind, first.title, first.detail], [
    ...["bad", "port", "Port 8080 is closed", "Too many open files (os error 24), for 1 min 1 s"],
  ]);
  assertEquals(countTroubles([first]), 1);
});

Deno.test("troublesOf() takes many of a kind together, and sees who fails while active", () => {
  const world = new FakeWorld({ pools: { fleet: 40 } });
  for (let i = 0; i < 9; i++) world.kill(world.upstreams[i]);
  world.upstream("fleet.20").errorShare = 0.3;
  const titles = troublesOf(world.snapshot()).map(({ title }) => title);
  assertEquals(titles.includes("9 of 40 in pool fleet: unhealthy"), true);
  assertEquals(titles.includes("10.0.0.31:8080: 30 % of its attempts fail"), true);
  assertEquals(titles.length, 3, titles.join());
});

Deno.test("pools of one name are distinguished by their sites, and others are not", () => {
  const world = new FakeWorld({ pools: { web: 1, api: 1 } });
  const snapshot = world.snapshot();
  const [web, api] = snapshot.pools;
  const twin = { ...api, id: "blog/api", site: "blog", available: 0, upstreams: [] };
  assertEquals([...poolLabels([web, api, twin]).values()], ["web", "shop/api", "blog/api"]);
  assertEquals(troublesOf({ ...snapshot, pools: [web, api, twin] }).map(({ title }) => title), [
    "Pool blog/api is down",
  ]);
});

Deno.test("troublesOf() says what share fails, and nothing of a single failure", () => {
  const snapshot = new FakeWorld().snapshot();
  const titlesOf = (requestRate: number, errorRate: number) => {
    const [site] = snapshot.sites;
    const flow = { ...site, requestRate, errorRate };
    return troublesOf({ ...snapshot, pools: [], sites: [flow] }).map(({ tone, title }) => `${tone} ${title}`);
  };
  assertEquals(titlesOf(100, 13), ["bad Site shop: 13 % of its requests fail"]);
  assertEquals(titlesOf(100, 1.2), ["warn Site shop: 1.2 % of its requests fail"]);
  assertEquals(titlesOf(100, 0.4), []);
  assertEquals(titlesOf(1000, 999.6), ["bad Site shop: 99.9 % of its requests fail"]);
  // One of five requests in five seconds, and two of two.
  assertEquals(titlesOf(1, 0.2), []);
  assertEquals(titlesOf(0.4, 0.4), ["bad Site shop: 100 % of its requests fail"]);
});

Deno.test("troublesOf() calls a worker overloaded only where BWS is busy itself", () => {
  const world = new FakeWorld();
  const said = (loopDelayMs: number, cpuCores: number) => {
    Object.assign(world, { loopDelayMs, cpuCores });
    const [first, ...rest] = troublesOf(world.snapshot());
    return first === undefined ? [] : [first.tone, first.title, first.detail, rest.length];
  };
  assertEquals(said(240, 0.06), []);
  const elsewhere = "the machine was busy with something else, or the program stood still";
  assertEquals(said(400, 0.06), [
    ...["note", "Worker 0 was held up"],
    ...[`its event loop was 400 ms late while BWS used 0.06 cores: ${elsewhere}`, 1],
  ]);
  assertEquals(said(1400, 0.06).slice(0, 2), ["warn", "Worker 0 was held up"]);
  assertEquals(said(400, 1.5), [
    ...["warn", "Worker 0 is overloaded", "its event loop was 400 ms late, and BWS uses 1.50 cores", 1],
  ]);
});

Deno.test("troublesOf() says that a worker is being replaced, and why a pool is down", () => {
  const world = new FakeWorld({ pools: { web: 1 } });
  const snapshot = world.snapshot();
  const [worker] = snapshot.process.workers;
  const process = { ...snapshot.process, workers: [{ ...worker, state: "starting" as const, restarts: 2 }] };
  const [replaced] = troublesOf({ ...snapshot, process });
  assertEquals([replaced.title, replaced.detail], [
    ...["Worker 0 is being replaced", "it ended and is started again, as 2 times before"],
  ]);
  const [pool] = snapshot.pools;
  const detailOf = (change: Partial<typeof pool>) =>
    troublesOf({ ...snapshot, sites: [], pools: [{ ...pool, available: 0, ...change }] })[0].detail;
  assertEquals(detailOf({}), "none of its upstreams takes requests; they get 503");
  assertEquals(detailOf({ upstreams: [] }), "it has no upstreams; they get 503");
  assertEquals(
    detailOf({ triesAnyway: true }),
    "none of its upstreams takes requests, and they are tried all the same",
  );
});

Deno.test("Model forgets what was before a clock that was set back", () => {
  const world = new FakeWorld({ pools: { web: 1 } });
  const first = world.snapshot(true);
  const model = new Model(first);
  assertEquals(model.times.length, 91);
  model.add({ ...world.snapshot(), atMs: first.atMs - 3_600_000 });
  assertEquals(model.times.length, 1);
  model.add({ ...world.snapshot(), atMs: first.atMs - 3_599_000 });
  assertEquals(model.times.length, 2);
  const history = first.history as NonNullable<typeof first.history>;
  const atMs = history.atMs.map((at, index) => index < 60 ? at + 3_600_000 : at);
  assertEquals(new Model({ ...first, history: { ...history, atMs } }).times.length, 31);
});

Deno.test("verdictOf() calls nothing well that it cannot see", () => {
  const world = new FakeWorld();
  assertEquals(verdictOf(world.snapshot(), 0), "All is well");
  world.metrics = false;
  assertEquals([0, 1, 12].map((count) => verdictOf(world.snapshot(), count)), [
    ...["No problem in the states of upstreams", "1 problem", "12 problems"],
  ]);
});

Deno.test("timeLeft() is of what keeps requests away", () => {
  const world = new FakeWorld({ pools: { web: 1 } });
  Object.assign(world.upstream("web.0"), { breaker: "open", breakerRetryMs: 3000, slowStartMs: 9000 });
  assertEquals(timeLeft(world.snapshot().pools[0].upstreams[0]), "3 s");
});

Deno.test("readSnapshots() reads events however they are cut, and skips what is no snapshot", async () => {
  const world = new FakeWorld({ pools: { "wéb": 1 } });
  const first = world.snapshot();
  const second = world.snapshot();
  const stream = `: hello\n\nevent: snapshot\ndata: ${JSON.stringify(first)}\n\nevent: other\ndata: {}\n\n` +
    `event: snapshot\ndata: ${JSON.stringify(second)}\n\nevent: snapshot\ndata: {"half`;
  const bytes = new TextEncoder().encode(stream);
  for (const size of [1, 2, 7, 1000, bytes.length]) {
    const pieces = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, index) => bytes.subarray(index * size, (index + 1) * size),
    );
    assertEquals(await Array.fromAsync(readSnapshots(ReadableStream.from(pieces))), [first, second]);
  }
});

Deno.test("probesOf() says that none are configured where there is no health check", () => {
  assertEquals(probesOf({ health: "unknown" }, { probed: false }), "none configured");
  assertEquals(probesOf({ health: "unknown" }, { probed: true }), "unknown");
});
