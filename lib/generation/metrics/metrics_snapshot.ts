/**
 * All counts so far, as plain data, summed over all workers. Counts of a period are the difference of two snapshots; see
 * `countsSince` and `quantile` in `lib/metrics/quantile.ts`. The content follows from the declarations of the metrics
 * (`exchange/route_metrics.ts`, `upstream/upstream_metrics.ts`).
 *
 * @module
 */

import type { RouteMetrics, RouteMetricsSnapshot } from "../../exchange/route_metrics.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import type { PoolMetricsSnapshot, UpstreamMetricsSnapshot } from "../../upstream/upstream_metrics.ts";
import type { Generation } from "../generation.ts";

/** A snapshot of all metrics. */
export interface MetricsSnapshot {
  /** In the order of the config. */
  readonly sites: readonly SiteCounts[];
  /** Requests that were refused before a site was chosen; their path is "". */
  readonly refused: RouteCounts;
}

/** A site. */
export interface SiteCounts {
  readonly site: string;
  /** Requests that no route took (files, endpoints of BWS, refusals) with the path "", then the routes by path. */
  readonly routes: readonly RouteCounts[];
  /** In the order of the config. */
  readonly pools: readonly PoolCounts[];
}

/** The routes of one path. */
export interface RouteCounts extends RouteMetricsSnapshot {
  /** As in the config; "" for requests that no route took. */
  readonly path: string;
}

/** A pool. */
export interface PoolCounts extends PoolMetricsSnapshot {
  readonly pool: string;
  /** Current members. */
  readonly upstreams: readonly UpstreamCounts[];
}

/** An upstream. State, weight and in-flight count are read from it: `upstream.state`, `.weight`, `.inFlight`. */
export interface UpstreamCounts extends UpstreamMetricsSnapshot {
  /** The upstream that the counts belong to. */
  readonly upstream: Upstream;
}

/** Takes a snapshot of all metrics; undefined when none are kept (`metrics = false`). */
export function takeMetricsSnapshot({ metrics, sites }: Generation): MetricsSnapshot | undefined {
  if (metrics === undefined) return undefined;
  return {
    sites: sites.flatMap(({ config: { name: site }, metrics: ofSite, pools }) =>
      ofSite === undefined ? [] : [{
        site,
        routes: ofSite.routes.map(routeCounts),
        pools: [...pools.values()].map((pool) => ({
          pool: pool.name,
          ...metrics.pool(site, pool.name).snapshot(),
          upstreams: pool.upstreams.map((upstream) => ({
            upstream,
            ...metrics.upstream(site, pool.name, upstream.id).snapshot(),
          })),
        })),
      }]
    ),
    refused: routeCounts(metrics.refused),
  };
}

function routeCounts({ path, values }: RouteMetrics): RouteCounts {
  return { path, ...values.snapshot() };
}
