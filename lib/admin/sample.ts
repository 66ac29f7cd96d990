/**
 * All counters at one moment, in a form in which two of them can be compared.
 *
 * @module
 */

import process from "node:process";
import { type MetricsReading, readMetrics, type RouteReading } from "../generation/metrics/reading.ts";
import { type FlowCounts, routeCounts, sumCounts, upstreamCounts } from "./flow.ts";
import type { Managed } from "./managed.ts";
import { upstreamId } from "./upstream_id.ts";

/** Counters and gauges at one moment. */
export interface Sample {
  /** By a clock that does not jump. */
  readonly takenMs: number;
  /** Everything as it was read; undefined when no metrics are kept. */
  readonly reading: MetricsReading | undefined;
  /** All exchanges together. */
  readonly totals: FlowCounts;
  /** Ended exchanges by class of status: other, 1xx, 2xx, 3xx, 4xx, 5xx. */
  readonly statuses: readonly number[];
  /** By the name of the site. */
  readonly sites: ReadonlyMap<string, FlowCounts>;
  /** By {@linkcode routeKey}. */
  readonly routes: ReadonlyMap<string, RouteCounts>;
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

/** Counters of a route, and what is under way in it. */
export interface RouteCounts extends FlowCounts {
  readonly inFlight: number;
}

/** Tells a route from others; those that share a path share their figures. */
export function routeKey(site: string, path: string): string {
  return `${site} ${path}`;
}

/** Takes a sample. */
export function takeSample(managed: Managed): Sample {
  const reading = readMetrics(managed.gateway);
  const sites = new Map<string, FlowCounts>();
  const routes = new Map<string, RouteCounts>();
  const upstreams = new Map<string, FlowCounts>();
  const all: RouteReading[] = reading === undefined ? [] : [reading.refused];
  for (const { site, routes: ofSite, pools } of reading?.sites ?? []) {
    const counts = ofSite.map((route) => ({ ...routeCounts(route), inFlight: route.inFlight }));
    for (const [index, { path }] of ofSite.entries()) routes.set(routeKey(site, path), counts[index]);
    sites.set(site, sumCounts(counts));
    all.push(...ofSite);
    for (const pool of pools) {
      for (const one of pool.upstreams) upstreams.set(upstreamId(site, pool.pool, one.upstream), upstreamCounts(one));
    }
  }
  const { user, system } = process.cpuUsage();
  const sum = (read: (route: RouteReading) => number) => all.reduce((total, route) => total + read(route), 0);
  return {
    takenMs: performance.now(),
    ...{ reading, sites, routes, upstreams },
    totals: sumCounts(all.map(routeCounts)),
    statuses: [0, 1, 2, 3, 4, 5].map((index) => sum(({ statuses }) => statuses[index])),
    receivedBytes: sum(({ requestBytes, socketBytes }) => requestBytes + socketBytes.toUpstream),
    sentBytes: sum(({ responseBytes, socketBytes }) => responseBytes + socketBytes.toClient),
    inFlight: sum(({ inFlight }) => inFlight),
    openSockets: sum(({ openSockets }) => openSockets),
    ended: managed.workers?.map((worker) => worker?.ended ?? 0) ?? [managed.gateway.endedCount],
    cpuSeconds: (user + system) / 1e6,
    memoryBytes: Deno.memoryUsage().rss,
  };
}
