/**
 * Counts of what is under way, all read at one moment, so that they can be compared with each other.
 *
 * @module
 */

import { POOL_METRICS } from "../upstream/upstream_metrics.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Managed } from "./managed.ts";
import { routeKey } from "./sample.ts";
import { poolId } from "./upstream_id.ts";

/** Counts of one moment. */
export interface UnderWay {
  /** Exchanges in each worker, by index. */
  readonly workers: readonly number[];
  /** Exchanges in all workers. */
  readonly total: number;
  /** Exchanges of each site, by its name; like `routes` and `waiting`, empty when no metrics are kept. */
  readonly sites: ReadonlyMap<string, number>;
  /** Exchanges of each route, by `routeKey`. */
  readonly routes: ReadonlyMap<string, number>;
  /** Exchanges that wait for room in a pool, by its `poolId`. */
  readonly waiting: ReadonlyMap<string, number>;
  /** Attempts at each upstream. */
  readonly upstreams: ReadonlyMap<Upstream, number>;
}

/** Reads all counts. */
export function readUnderWay({ generation, workers }: Managed): UnderWay {
  const { metrics } = generation;
  const upstreams = new Map<Upstream, number>();
  const sites = new Map<string, number>();
  const routes = new Map<string, number>();
  const waiting = new Map<string, number>();
  for (const { pools } of generation.sites) {
    for (const pool of pools.values()) {
      for (const upstream of pool.upstreams) upstreams.set(upstream, upstream.inFlight);
    }
  }
  // Without metrics, the counts that workers post once a second.
  const byWorker = (workers ?? [generation]).map((worker, index) =>
    metrics?.inFlightIn(index) ?? worker?.underWay ?? 0
  );
  for (const { config: { name }, metrics: ofSite, pools } of generation.sites) {
    if (metrics === undefined || ofSite === undefined) continue;
    let sum = 0;
    for (const route of ofSite.routes) {
      const inFlight = route.inFlight();
      routes.set(routeKey(name, route.path), inFlight);
      sum += inFlight;
    }
    sites.set(name, sum);
    for (const pool of pools.keys()) {
      waiting.set(poolId(name, pool), metrics.pool(name, pool).value(POOL_METRICS.metrics.waiting));
    }
  }
  const total = byWorker.reduce((sum, count) => sum + count, 0);
  return { workers: byWorker, total, sites, routes, waiting, upstreams };
}
