/**
 * What the management API tells.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { snapshotSchema } from "../../lib/admin/api_schemas.ts";
import { readSnapshots } from "../../lib/admin/dashboard/page/snapshot_stream.js";
import { MASK } from "../../lib/config/secret_names.ts";
import { shownConfig } from "../../lib/generation/config/shown_config.ts";
import type { Snapshot } from "../../lib/admin/snapshot.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { VERSION } from "../../lib/version.ts";
import { until, within } from "../support/condition.ts";
import { NamedUpstream, RunningManagement } from "./running_management.ts";

for (const workers of [1, 2]) {
  const serving = workers === 1 ? "in one thread" : `with ${workers} workers`;

  Deno.test(`GET /api/status counts what passes, ${serving}`, async () => {
    await using one = new NamedUpstream("one");
    await using other = new NamedUpstream("other");
    await using running = await RunningManagement.start({ upstreams: [one.url, other.url], workers });
    // Side by side, so that all of them lie within the time of which rates tell.
    await Promise.all([...[1, 2, 3, 4].map(() => running.visits(5)), running.visits(3, "/fail")]);
    const snapshot = await snapshotWhere(
      running,
      // Workers report how many exchanges have ended once a second, the totals are read from shared memory.
      ({ totals, failures, process }) =>
        totals.requests === 23 && failures.length > 0 && process.workers.some(({ requestRate }) => requestRate > 0),
    );
    assertEquals(snapshotSchema.parse(snapshot), snapshot);
    assertEquals([snapshot.totals.requests, snapshot.totals.errors, snapshot.version], [23, 3, VERSION]);
    assert(snapshot.totals.requestRate > 0 && snapshot.totals.errorRate > 0, JSON.stringify(snapshot.totals));
    assert(snapshot.totals.p50Ms !== null && snapshot.totals.statusRates[1] > 0);
    const [site] = snapshot.sites;
    assertEquals([site.name, site.routes.map(({ path, poolId }) => [path, poolId])], ["shop", [["/", "shop/app"]]]);
    assertEquals(site.addresses, [`http://127.0.0.1:${running.server.addresses[0].port}`]);
    assertEquals(site.routes[0].requestRate, snapshot.totals.requestRate);
    const [pool] = snapshot.pools;
    assertEquals([pool.id, pool.policy, pool.waiting], ["shop/app", "round_robin", 0]);
    assertEquals(pool.upstreams.map(({ url }) => url), [one.url, other.url]);
    for (const upstream of pool.upstreams) {
      assert(upstream.requestRate > 0 && upstream.p95Ms !== null, JSON.stringify(upstream));
      assertEquals([upstream.state, upstream.weight, upstream.inFlight], [
        "active",
        1,
        0,
      ]);
    }
    assertEquals(snapshot.process.workers.map(({ index, state, restarts }) => [index, state, restarts]), [
      ...[[0, "serving", 0], [1, "serving", 0]].slice(0, workers),
    ]);
    assert(snapshot.process.memoryBytes > 1e6);
  });

  Deno.test(`what is under way is of one instant, ${serving}`, async () => {
    await using one = new NamedUpstream("one");
    await using other = new NamedUpstream("other");
    await using running = await RunningManagement.start({ upstreams: [one.url, other.url], workers });
    const visits = Array.from({ length: 12 }, () => running.visits(1, "/wait"));
    await until("all are held", () => one.asked + other.asked === 12);
    // Before a sample is taken that knows of them.
    const { totals, sites: [site], pools: [pool], process }: Snapshot = await running.told("/api/status");
    const sum = (flows: readonly { inFlight: number }[]) => flows.reduce((all, { inFlight }) => all + inFlight, 0);
    assertEquals(
      [totals.inFlight, site.inFlight, sum(site.routes), sum(pool.upstreams), sum(process.workers)],
      [12, 12, 12, 12, 12],
    );
    for (const { gate } of [one, other]) gate.resolve();
    await Promise.all(visits);
    // Clients have their responses some time before the exchanges in other threads have ended.
    await snapshotWhere(
      running,
      (after) =>
        [after.totals.inFlight, sum(after.pools[0].upstreams), sum(after.process.workers)].every((count) =>
          count === 0
        ),
    );
  });

  Deno.test(`slowness that ejects is reported as the last failure, of that pool alone, ${serving}`, async () => {
    await using slow = new NamedUpstream("slow");
    await using quick = new NamedUpstream("quick");
    await using running = await RunningManagement.start({
      upstreams: [],
      workers,
      proxy: {
        upstreams: [
          { name: "app", url: slow.url },
          { name: "app", url: quick.url },
          { name: "other", url: slow.url },
        ],
        routes: [{ path: "/", upstream: "app" }, { path: "/other", upstream: "other" }],
        passive_health: { max_fails: 1, slow_after: "1s", eject_for: "1m", max_ejected_percent: 50 },
      },
    });
    quick.gate.resolve();
    const visits: Promise<string>[] = [];
    // Workers have turns of their own. One after another, so that the quick one has no queue.
    for (let asked = quick.asked; slow.asked === 0; asked = quick.asked) {
      visits.push(running.visit("/wait"));
      await until("one of them is asked", () => slow.asked > 0 || quick.asked > asked);
    }
    await new Promise((resolve) => setTimeout(resolve, 1100));
    slow.gate.resolve();
    await Promise.all(visits);
    await running.visit("/other");
    const { pools } = await snapshotWhere(running, ({ pools: [{ upstreams }] }) => upstreams[0].lastFailure !== null);
    assertEquals(pools[0].upstreams[0].lastFailure, "took longer than slow_after");
    assertEquals(pools[0].upstreams.some(({ state }) => state === "ejected"), true);
    assertEquals(pools[1].upstreams[0].lastFailure, null);
  });

  Deno.test(`recent failures are reported, the newest first, ${serving}`, async () => {
    await using upstream = new NamedUpstream("one");
    await using running = await RunningManagement.start({ upstreams: [upstream.url, "http://127.0.0.1:1"], workers });
    const own = ({ failures }: Snapshot) => failures.filter(({ status }) => status === 500);
    await running.visit("/fail/first?secret=1");
    // Another worker's report may overtake it.
    await snapshotWhere(running, (snapshot) => own(snapshot)[0]?.count === 1);
    await running.visits(2, "/fail/second");
    const snapshot = await snapshotWhere(running, (snapshot) => own(snapshot)[0]?.count === 3);
    const [{ path, site, owner, count, manyPaths, saved }, ...others] = own(snapshot);
    assertEquals([path, site, owner, count, manyPaths, saved, others.length], [
      ...["/fail/second", "shop", "upstream", 3, true, false, 0],
    ]);
    // What the other upstream saved is blamed on the dead one.
    await running.visits(2);
    const saves = ({ failures }: Snapshot) => failures.filter(({ saved }) => saved);
    const [{ status, upstream: blamed }] = saves(await snapshotWhere(running, (later) => saves(later).length > 0));
    assertEquals([status, blamed], [200, "http://127.0.0.1:1"]);
  });

  Deno.test(`a pool whose upstreams are down has the failures of its routes, ${serving}`, async () => {
    await using running = await RunningManagement.start({
      ...{ upstreams: ["http://127.0.0.1:1", "http://127.0.0.1:2"], workers },
      proxy: { passive_health: { max_fails: 1, eject_for: "1m" } },
    });
    await running.visits(12);
    const { pools: [pool], sites: [site] } = await snapshotWhere(running, ({ pools }) => pools[0].requestRate > 0);
    assertEquals(pool.errorRate, pool.requestRate);
    assertEquals([pool.requestRate, pool.errorRate], [site.routes[0].requestRate, site.routes[0].errorRate]);
    assertEquals([pool.triesAnyway, pool.probed], [false, false]);
  });
}

Deno.test("GET /api/events gives a whole snapshot at once, with the history, and then one a second", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url] });
  await running.visits(5);
  await snapshotWhere(running, ({ totals }) => totals.requests === 5);
  const aborter = new AbortController();
  const askedMs = performance.now();
  const response = await running.ask("/api/events", { signal: aborter.signal });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const snapshots: Snapshot[] = [];
  assert(response.body !== null);
  for await (const snapshot of readSnapshots(response.body)) {
    snapshots.push(snapshot);
    if (snapshots.length === 3) break;
  }
  aborter.abort();
  for (const snapshot of snapshots) assertEquals(snapshotSchema.parse(snapshot), snapshot);
  assertEquals(snapshots.map(({ history }) => history !== undefined), [true, false, false]);
  // The first at once, the second when the next sample is taken, the third a second after that.
  const tookMs = performance.now() - askedMs;
  assert(tookMs > 950, `three within ${tookMs} ms`);
  // Somebody who comes later is told of what was before.
  const later = await within(3000, "a stream begins", firstEvent(running));
  const history = later.history;
  assert(history !== undefined && history.atMs.length > 0);
  assertEquals(history.totals.requestRate.length, history.atMs.length);
  const [series] = Object.values(history.upstreams);
  assertEquals(series.requestRate.length, history.atMs.length);
  assert(series.requestRate.some((rate) => rate > 0), JSON.stringify(series));
});

Deno.test("a stream of events does not hold up the end", async () => {
  await using upstream = new NamedUpstream("one");
  const running = await RunningManagement.start({ upstreams: [upstream.url] });
  const response = await running.ask("/api/events");
  await within(3000, "all has ended", running[Symbol.asyncDispose]());
  assertStringIncludes(await response.text(), "event:snapshot\ndata:{");
});

Deno.test("GET /metrics is negotiated, and names the site", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url] });
  await running.visits(2);
  await snapshotWhere(running, ({ totals }) => totals.requests === 2);
  const plain = await running.ask("/metrics");
  assertEquals(plain.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const text = await plain.text();
  assertMatch(text, /^bws_http_requests_total\{site="shop",route="\/",method="GET",status_class="2xx"\} 2$/m);
  assertMatch(text, /^bws_config_generation 1$/m);
  const open = await running.ask("/metrics", { headers: { accept: "application/openmetrics-text; version=1.0.0" } });
  assertStringIncludes(open.headers.get("content-type") ?? "", "application/openmetrics-text");
  assertStringIncludes(await open.text(), "# EOF\n");
});

Deno.test("GET /metrics calls the thread that looks after the workers main", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url], workers: 2 });
  const text = await (await running.ask("/metrics")).text();
  const named = text.matchAll(/^bws_worker_heap_used_bytes\{worker="([^"]+)"\}/gm);
  assertEquals([...named].map(([, worker]) => worker), ["0", "1", "main"]);
});

Deno.test("without metrics the rest is reported nevertheless", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url], management: { metrics: false } });
  await running.visits(2);
  const snapshot = await running.told("/api/status");
  assertEquals(snapshotSchema.parse(snapshot), snapshot);
  assertEquals([snapshot.totals.requests, snapshot.pools[0].upstreams.length], [0, 1]);
  assertEquals([snapshot.metrics, snapshot.pools[0].upstreams[0].state], [false, "active"]);
  const response = await running.ask("/metrics");
  assertEquals([response.status, response.headers.get("content-type")], [404, "application/problem+json"]);
  assertEquals((await response.json()).detail, "metrics are off (management.metrics)");
});

Deno.test("HEAD gets what GET gets without its body, and the dashboard's files are not sent twice", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url] });
  for (const path of ["/", "/api/sites", "/metrics", "/api/events"]) {
    const response = await running.ask(path, { method: "HEAD" });
    assertEquals([response.status, await response.text()], [200, ""], path);
  }
  const page = await running.ask("/");
  assertStringIncludes(await page.text(), "<html");
  const again = await running.ask("/", { headers: { "if-none-match": page.headers.get("etag") ?? "" } });
  assertEquals([again.status, await again.text()], [304, ""]);
});

Deno.test("what is not there, or not possible, is a problem detail", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url] });
  const cases: [string, string, number, string | null][] = [
    ["GET", "/api/nothing", 404, null],
    ["GET", "/api/upstreams/nobody", 404, null],
    ["GET", "/api/upstreams/%ff", 404, null],
    ["GET", "/api/status/", 404, null],
    ["DELETE", "/api/status", 405, "GET, HEAD"],
    ["GET", "/api/config/reload", 405, "POST"],
    ["POST", "/", 405, "GET, HEAD"],
    ["PUT", "/api/upstreams/x", 405, "GET, HEAD, PATCH, DELETE"],
    ["OPTIONS", "/api/upstreams", 405, "GET, HEAD, POST"],
  ];
  for (const [method, path, status, allow] of cases) {
    const response = await running.ask(path, { method });
    const body = await response.json();
    assertEquals([response.status, response.headers.get("allow")], [status, allow], `${method} ${path}`);
    assertEquals(response.headers.get("content-type"), "application/problem+json");
    assertEquals([body.status, typeof body.title, typeof body.detail], [status, "string", "string"]);
    assertEquals(body.error, body.detail);
  }
});

Deno.test("GET /api/config shows the config that runs, without its secrets", async () => {
  await using upstream = new NamedUpstream("one");
  const secrets = [
    "key-12345",
    "cookie-secret-12345",
    "Bearer token-12345",
    "probe-12345",
    "session-12345",
    "abc-12345",
  ];
  await using running = await RunningManagement.start({
    upstreams: [],
    management: { api_key: secrets[0] },
    proxy: {
      upstreams: [{ name: "app", url: upstream.url, weight: 7 }],
      routes: [{ path: "/", upstream: "app" }],
      load_balancing: { method: "cookie", cookie: { secret: secrets[1] } },
      headers: {
        request: { set: { Authorization: secrets[2], "X-Plain": "shown", "X-Upstream": `Basic ${secrets[5]}` } },
        response: { add: { "Set-Cookie": secrets[4] } },
      },
      health_check: { headers: { "X-Api-Token": secrets[3] } },
    },
  });
  const response = await running.ask("/api/config", { headers: { "x-api-key": secrets[0] } });
  const text = await response.text();
  for (const secret of secrets) assertEquals(text.includes(secret), false, secret);
  const config = JSON.parse(text);
  assertEquals(config.units, "durations in milliseconds, sizes in bytes");
  assertEquals(config.management.api_key, MASK);
  assertEquals(config.sites[0].proxy.upstreams[0].weight, 7);
  assertEquals(config.sites[0].proxy.headers.request.set, {
    ...{ Authorization: MASK, "X-Plain": "shown", "X-Upstream": MASK },
  });
});

Deno.test("shownConfig() masks passwords in URLs wherever they stand, and leaves the paths of files", () => {
  const { config } = resolveConfig({
    sites: [{
      static_dir: "/srv",
      headers: { "X-From": "see http://user:hunter2@proxy.example/x and http://plain.example" },
      proxy: {
        upstreams: [{ name: "a", url: "https://a.example", tls: { ca_file: "/etc/ca-key.pem" } }],
        routes: [{ path: "/", upstream: "a" }],
      },
    }],
  }, { checkFiles: false });
  const shown = JSON.stringify(shownConfig(config));
  assertEquals(shown.includes("hunter2"), false);
  assertStringIncludes(shown, `http://user:${MASK}@proxy.example/x and http://plain.example`);
  assertStringIncludes(shown, '"ca_file":"/etc/ca-key.pem"');
});

async function snapshotWhere(
  running: RunningManagement,
  fact: (snapshot: Snapshot) => boolean,
): Promise<Snapshot> {
  return await within(
    60_000,
    "such a snapshot",
    (async () => {
      for (;;) {
        const snapshot: Snapshot = await running.told("/api/status");
        if (fact(snapshot)) return snapshot;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })(),
  );
}

async function firstEvent(running: RunningManagement): Promise<Snapshot> {
  const { body } = await running.ask("/api/events");
  assert(body !== null);
  for await (const snapshot of readSnapshots(body)) return snapshot;
  throw new Error("The stream ended without an event");
}
