/**
 * Rates, quantiles, the history and the list of failures.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { FailureList } from "../../lib/admin/failure_list.ts";
import { passed, rate, sumCounts } from "../../lib/admin/flow.ts";
import { HistoryRing } from "../../lib/admin/history.ts";
import { upstreamId } from "../../lib/admin/upstream_id.ts";
import type { FailureReport } from "../../lib/exchange/failure_report.ts";
import { FailureReporter } from "../../lib/exchange/failure_reporter.ts";
import { DURATION_BOUNDS } from "../../lib/metrics/metric.ts";
import { Exchange } from "../../lib/exchange/exchange.ts";
import type { Upstream } from "../../lib/upstream/upstream.ts";

function durations(counts: Record<number, number>): number[] {
  return Array.from({ length: DURATION_BOUNDS.length + 1 }, (_, index) => counts[index] ?? 0);
}

Deno.test("passed() gives rates and quantiles of what came between two counts", () => {
  const before = { requests: 100, errors: 1, durations: durations({ 0: 100 }) };
  const now = { requests: 150, errors: 6, durations: durations({ 0: 100, 4: 50 }) };
  const flow = passed(now, before, { seconds: 5, inFlight: 3 });
  assertEquals([flow.requestRate, flow.errorRate, flow.inFlight], [10, 1, 3]);
  const [low, high] = [DURATION_BOUNDS[3] * 1000, DURATION_BOUNDS[4] * 1000];
  assert(flow.p50Ms !== null && flow.p99Ms !== null);
  assert(low < flow.p50Ms && flow.p50Ms < flow.p99Ms && flow.p99Ms <= high, JSON.stringify(flow));
});

Deno.test("passed() knows of nothing where there is no count before, or nothing came", () => {
  const counts = { requests: 100, errors: 1, durations: durations({ 0: 100 }) };
  const still = { requestRate: 0, errorRate: 0, inFlight: 2, p50Ms: null, p95Ms: null, p99Ms: null };
  assertEquals(passed(counts, undefined, { seconds: 5, inFlight: 2 }), still);
  assertEquals(passed(counts, counts, { seconds: 5, inFlight: 2 }), still);
  assertEquals(passed(counts, counts, { seconds: 0, inFlight: 2 }), still);
});

Deno.test("passed() gives one sample one place, within its bucket, whichever quantile is asked for", () => {
  const before = { requests: 0, errors: 0, durations: durations({}) };
  for (let bucket = 0; bucket < DURATION_BOUNDS.length; bucket++) {
    const now = { requests: 1, errors: 0, durations: durations({ [bucket]: 1 }) };
    const { p50Ms, p95Ms, p99Ms } = passed(now, before, { seconds: 5, inFlight: 0 });
    assertEquals([p95Ms, p99Ms], [p50Ms, p50Ms]);
    assert(
      p50Ms !== null && p50Ms > 1000 * (DURATION_BOUNDS[bucket - 1] ?? 0) && p50Ms < 1000 * DURATION_BOUNDS[bucket],
    );
  }
});

Deno.test("rate() takes a count that went down for one that began anew", () => {
  assertEquals([rate(30, 10, 2), rate(6, 10, 2), rate(6, 10, 0)], [10, 3, 0]);
});

Deno.test("sumCounts() adds bucket by bucket", () => {
  const sum = sumCounts([
    { requests: 1, errors: 0, durations: durations({ 0: 1 }) },
    { requests: 2, errors: 1, durations: durations({ 0: 1, 16: 1 }) },
  ]);
  assertEquals(sum, { requests: 3, errors: 1, durations: durations({ 0: 2, 16: 1 }) });
});

Deno.test("HistoryRing keeps the last 150 moments, and forgets upstreams that are gone", () => {
  const ring = new HistoryRing();
  const totals = { requestRate: 0, errorRate: 0, inFlight: 0, p50Ms: null, p95Ms: null, p99Ms: null };
  for (let moment = 0; moment < 400; moment++) {
    const upstreams = new Map([["stays", { requestRate: moment, errorRate: 0.55 }]]);
    if (moment < 300) upstreams.set("goes", { requestRate: 1, errorRate: 0 });
    if (moment >= 390) upstreams.set("comes", { requestRate: 2, errorRate: 0 });
    ring.add({ atMs: moment, totals: { ...totals, requestRate: moment }, memoryBytes: moment, upstreams });
  }
  const { atMs, totals: series, upstreams } = ring.read();
  const last = Array.from({ length: 150 }, (_, index) => 250 + index);
  assertEquals([atMs, series.requestRate, series.memoryBytes, upstreams.stays.requestRate], [last, last, last, last]);
  assertEquals(Object.keys(upstreams), ["stays", "comes"]);
  assertEquals(upstreams.comes.requestRate.filter((value) => value === 2).length, 10);
  assertEquals(upstreams.comes.requestRate.length, 150);
});

Deno.test("FailureList keeps 50, and knows what each upstream failed with last", () => {
  const list = new FailureList();
  list.poolsOf = ({ route }) => route === "/" ? ["app"] : [];
  const at = (url: string, pool = "app") => ({ site: "s", pool, url });
  for (let number = 1; number <= 60; number++) {
    list.add(report({ cause: `cause ${number}`, upstream: `u${number % 2}` }));
  }
  assertEquals(list.failures.length, 50);
  assertEquals([list.failures[0].number, list.failures[49].number], [60, 11]);
  assertEquals([at("u0"), at("u1"), at("u2")].map((place) => list.lastFailureOf(place)), [
    "cause 60",
    "cause 59",
    undefined,
  ]);
  // The same server in another pool, or another site, is another upstream.
  assertEquals([at("u0", "other"), { ...at("u0"), site: "t" }].map((place) => list.lastFailureOf(place)), [
    undefined,
    undefined,
  ]);
  list.clearLastFailure(at("u0", "other"));
  assertEquals(list.lastFailureOf(at("u0")), "cause 60");
  list.clearLastFailure(at("u0"));
  assertEquals(list.lastFailureOf(at("u0")), undefined);
});

Deno.test("FailureList takes equal failures together, so that others are not pushed out", () => {
  const list = new FailureList();
  list.add(report({ atMs: 1, cause: "rare" }));
  for (let number = 1; number <= 37; number++) {
    list.add(report({ atMs: 10 + number, requestId: `r${number}`, path: number < 37 ? "/" : "/other" }));
  }
  list.add(report({ atMs: 60, count: 5, path: "/" }));
  const [many, rare] = list.failures;
  assertEquals(
    [many.count, many.firstAtMs, many.atMs, many.path, many.manyPaths, many.number],
    [42, 11, 60, "/", true, 2],
  );
  assertEquals([rare.count, rare.cause, rare.manyPaths, rare.number], [1, "rare", false, 1]);
  // What differs in anything but time, path and request id is another kind.
  list.add(report({ saved: true, status: 200 }));
  list.add(report({ method: "POST" }));
  assertEquals(list.failures.map(({ number }) => number), [4, 3, 2, 1]);
});

Deno.test("FailureReporter names the upstream that failed, not the one that saved the exchange", () => {
  const told: FailureReport[] = [];
  const reporter = new FailureReporter((failure) => told.push(failure));
  const ended = (status: number, end?: (exchange: Exchange) => void) => {
    const head = { method: "GET", path: "/", peer: { address: "192.0.2.1" } };
    const exchange = new Exchange(head as Exchange["head"], {} as Exchange["client"], { exchangeEnded: () => {} });
    exchange.attempts = 1;
    exchange.upstream = "http://a";
    exchange.attemptFailed("Connection refused", "upstream");
    if (status < 500) {
      exchange.attempts = 2;
      exchange.upstream = "http://b";
    }
    exchange.status = status;
    end?.(exchange);
    reporter.look(exchange);
    return told.at(-1);
  };
  const saved = ended(200);
  assertEquals([saved?.saved, saved?.upstream, saved?.status], [true, "http://a", 200]);
  const failed = ended(502);
  assertEquals([failed?.saved, failed?.upstream], [false, "http://a"]);
  // The other one began well, and broke off.
  const cut = ended(200, (exchange) => exchange.failed("The answer broke off", "upstream"));
  assertEquals([cut?.saved, cut?.upstream, cut?.cause], [false, "http://b", "The answer broke off"]);
});

Deno.test("FailureReporter counts those that are too many to be sent one by one", () => {
  let count = 0;
  let nowMs = 5000;
  const reporter = new FailureReporter((failure) => count += failure.count, () => nowMs);
  const look = () =>
    reporter.look({
      ...{ status: 502, causeOwner: "upstream", cause: "c", upstream: "", failedUpstream: "", attempts: 1, site: "s" },
      head: { method: "GET", path: "/" },
    } as unknown as Exchange);
  for (let failure = 0; failure < 500; failure++) look();
  assertEquals(count, 20);
  nowMs += 1000;
  look();
  assertEquals(count, 501);
});

Deno.test("FailureReporter reports failures of upstreams and of BWS, 20 a second, cut to size", () => {
  const told: FailureReport[] = [];
  const reporter = new FailureReporter((failure) => told.push(failure));
  const look = (status: number, causeOwner: string, cause = "c") =>
    reporter.look({
      ...{ status, causeOwner, cause, upstream: "", failedUpstream: "", requestId: "1", site: "s" },
      head: { method: "GET", path: "/".padEnd(5000, "x") },
    } as unknown as Exchange);
  look(200, "");
  look(404, "client");
  look(499, "client");
  assertEquals(told, []);
  look(502, "upstream");
  look(500, "", "");
  look(101, "upstream");
  assertEquals(told.map(({ status, owner }) => [status, owner]), [[502, "upstream"], [500, "proxy"], [
    101,
    "upstream",
  ]]);
  assertEquals(told[0].path.length, 501);
  assertEquals(told[1].cause, "The status was 500");
  for (let more = 0; more < 200; more++) look(502, "upstream");
  // The clock may go on to the next second meanwhile.
  assert(told.length <= 43, `${told.length}`);
});

Deno.test("upstreamId() is fit for a path, stable, and distinguishes twins", () => {
  const at = (id: string, url: string) => upstreamId("shop", "app", { id, url } as Upstream);
  const id = at("http://10.0.0.1:80/base", "http://10.0.0.1:80/base");
  assertEquals(id, at("http://10.0.0.1:80/base", "http://10.0.0.1:80/base"));
  assertEquals(/^app\.10\.0\.0\.1-80-base\.[0-9a-f]{12}$/.test(id), true, id);
  assertEquals(at("unix:/run/ä b.sock", "unix:/run/ä b.sock").replace(/^[A-Za-z0-9._~-]+$/, ""), "");
  assertEquals(new Set([id, at("x", "http://10.0.0.1:80/base"), at("y", "http://10.0.0.1:80/base")]).size, 3);
});

function report(fields: Partial<FailureReport>): FailureReport {
  return {
    ...{
      atMs: 1,
      requestId: "r",
      site: "s",
      route: "/",
      method: "GET",
      path: "/",
      status: 502,
      owner: "upstream" as const,
    },
    ...{ cause: "c", upstream: null, saved: false, count: 1, ...fields },
  };
}
