/**
 * A sample: all counters at one moment. Rates are differences of two samples.
 *
 * @module
 */

import process from "node:process";
import { type MetricsSnapshot, type RouteCounts, takeMetricsSnapshot } from "../generation/metrics/metrics_snapshot.ts";
import { STATUS_CLASSES } from "../metrics/status_class.ts";
import { type FlowCounts, flowOfRoute, flowOfUpstream, sumCounts } from "./flow.ts";
import type { Managed } from "./managed.ts";
import { upstreamId } from "./upstream_id.ts";

/** Counters and gauges at one moment. */
export interface Sample {
  /** Time of the sample, by the monotonic clock. */
  readonly takenMs: number;
  /** All metrics; undefined when none are kept. */
  readonly metrics: MetricsSnapshot | undefined;
  /** All exchanges. */
  readonly totals: FlowCounts;
  /** Ended exchanges by class of status: other, 1xx, 2xx, 3xx, 4xx, 5xx. */
  readonly statuses: readonly number[];
  /** By the name of the site. */
  readonly sites: ReadonlyMap<string, FlowCounts>;
  /** By {@linkcode routeKey}. */
  readonly routes: ReadonlyMap<string, RouteFlowCounts>;
  /** By the `id` of the upstream. */
  readonly upstreams: ReadonlyMap<string, FlowCounts>;
  /** Bytes from clients. */
  readonly receivedBytes: number;
  /** Bytes to clients. */
  readonly sentBytes: number;
  /** Exchanges under way. */
  readonly inFlight: number;
  /** WebSockets that are open. */
  readonly openSockets: number;
  /** Ended exchanges of each worker. */
  readonly ended: readonly number[];
  /** Processor time, in seconds. */
  readonly cpuSeconds: number;
  /** Resident memory. */
  readonly memoryBytes: number;
}

/** Counters of a route, and its exchanges under way. */
export interface RouteFlowCounts extends FlowCounts {
  readonly inFlight: number;
}

/** The key of a route; routes of the same path share their metrics. */
export function routeKey(site: string, path: string): string {
  return `${site} ${path}`;
}

/** Takes a sample. */
export function takeSample(managed: Managed): Sample {
  const metrics = takeMetricsSnapshot(managed.generation);
  const sites = new Map<string, FlowCounts>();
  const routes = new Map<string, RouteFlowCounts>();
  const upstreams = new Map<string, FlowCounts>();
  const all: RouteCounts[] = metrics === undefined ? [] : [metrics.refused];
  for (const { site, routes: ofSite, pools } of metrics?.sites ?? []) {
    const counts = ofSite.map((route) => ({ ...flowOfRoute(route), inFlight: route.inFlight }));
    for (const [index, { path }] of ofSite.entries()) routes.set(routeKey(site, path), counts[index]);
    sites.set(site, sumCounts(counts));
    all.push(...ofSite);
    for (const pool of pools) {
      for (const one of pool.upstreams) upstreams.set(upstreamId(site, pool.pool, one.upstream), flowOfUpstream(one));
    }
  }
  const { user, system } = process.cpuUsage();
  const sum = (read: (route: RouteCounts) => number) => all.reduce((total, route) => total + read(route), 0);
  return {
    takenMs: performance.now(),
    ...{ metrics, sites, routes, upstreams },
    totals: sumCounts(all.map(flowOfRoute)),
    statuses: STATUS_CLASSES.map((name) => sum(({ statuses }) => statuses[name])),
    receivedBytes: sum(({ requestBytes, socketBytes }) => requestBytes + socketBytes.to_upstream),
    sentBytes: sum(({ responseBytes, socketBytes }) => responseBytes + socketBytes.to_client),
    inFlight: sum(({ inFlight }) => inFlight),
    openSockets: sum(({ openSockets }) => openSockets),
    ended: managed.workers?.map((worker) => worker?.ended ?? 0) ?? [managed.generation.exchanges.endedCount],
    cpuSeconds: (user + system) / 1e6,
    memoryBytes: Deno.memoryUsage().rss,
  };
}
