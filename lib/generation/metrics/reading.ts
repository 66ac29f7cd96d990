/**
 * What was counted until now, as plain data, summed over all workers: for whoever shows figures by himself. What passed
 * lately is the difference of two readings; see `countsSince` and `quantile` in `lib/metrics/quantile.ts`.
 *
 * @module
 */

import type { HistogramReading } from "../../metrics/histogram.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import type { FailureClass } from "../../upstream/failure_class.ts";
import type { Generation } from "../generation.ts";
import type { RouteMetrics } from "./route_metrics.ts";
import type { UpstreamMetrics } from "./upstream_metrics.ts";

/** Everything. */
export interface MetricsReading {
  /** In the order of the config. */
  readonly sites: readonly SiteReading[];
  /** Requests that were refused before they belonged to a site; their site and path are "". */
  readonly refused: RouteReading;
}

/** A site. */
export interface SiteReading {
  readonly site: string;
  /** What no route took (files, endpoints of BWS, refusals) with the path "", and then the routes by their paths. */
  readonly routes: readonly RouteReading[];
  /** In the order of the config. */
  readonly pools: readonly PoolReading[];
}

/** The routes of one path. */
export interface RouteReading {
  /** As in the config; "" for what no route took. */
  readonly path: string;
  /** Exchanges under way, open WebSockets among them. */
  readonly inFlight: number;
  /** Exchanges that ended, by class of status: other, 1xx, 2xx, 3xx, 4xx, 5xx. */
  readonly statuses: readonly number[];
  /** Bytes of requests' bodies. */
  readonly requestBytes: number;
  /** Bytes of answers' bodies. */
  readonly responseBytes: number;
  /** Seconds from the start to the end of exchanges, those of WebSockets and of streams left out. */
  readonly durations: HistogramReading;
  /** Open WebSockets. */
  readonly openSockets: number;
  /** Messages of WebSockets that went to upstreams and to clients, and their bytes. */
  readonly socketMessages: { readonly toUpstream: number; readonly toClient: number };
  readonly socketBytes: { readonly toUpstream: number; readonly toClient: number };
}

/** A pool. */
export interface PoolReading {
  readonly pool: string;
  /** Exchanges that wait for room. */
  readonly waiting: number;
  /** Its members at this moment. */
  readonly upstreams: readonly UpstreamReading[];
}

/** An upstream. Its state, its weight and its in-flight count are its own: `upstream.state`, `.weight`, `.inFlight`. */
export interface UpstreamReading {
  /** Whose figures these are. */
  readonly upstream: Upstream;
  /** Attempts that began. */
  readonly attempts: number;
  /** Those of them that were not the first of their exchange. */
  readonly retries: number;
  /** Answers by class of status: other, 1xx, 2xx, 3xx, 4xx, 5xx. */
  readonly statuses: readonly number[];
  /** Failures that count against it. Those of cause `status` and `slow` had an answer, and are in `statuses` too. */
  readonly failures: Readonly<Record<FailureClass, number>>;
  /** How often it was ejected. */
  readonly ejections: number;
  /** Seconds from the start of attempts to the heads of their answers. */
  readonly headSeconds: HistogramReading;
  /** Connections for HTTP: all that are open, and those of them that idle. */
  readonly connections: { readonly open: number; readonly idle: number };
  /** Attempts that used a kept connection. */
  readonly reused: number;
  /** Seconds that it took to dial; one observation for each connection that was dialled. */
  readonly dialSeconds: HistogramReading;
}

/** Reads all figures of a gateway; undefined when it keeps none (`metrics = false`). */
export function readMetrics(gateway: Generation): MetricsReading | undefined {
  const { metrics } = gateway;
  if (metrics === undefined) return undefined;
  return {
    sites: gateway.sites.flatMap((site) =>
      site.metrics === undefined ? [] : [{
        site: site.config.name,
        routes: site.metrics.routes.map(readRoute),
        pools: [...site.pools.values()].map((pool) => ({
          pool: pool.name,
          waiting: metrics.pool(site.config.name, pool.name).waiting,
          upstreams: pool.upstreams.map((upstream) =>
            readUpstream(upstream, metrics.upstream(site.config.name, pool.name, upstream.id))
          ),
        })),
      }]
    ),
    refused: readRoute(metrics.refused),
  };
}

function readRoute(metrics: RouteMetrics): RouteReading {
  return {
    path: metrics.path,
    inFlight: metrics.inFlight,
    statuses: metrics.statuses(),
    requestBytes: metrics.requestBytes.value,
    responseBytes: metrics.responseBytes.value,
    durations: metrics.durations.read(),
    openSockets: metrics.openSockets,
    socketMessages: { toUpstream: metrics.messagesToUpstream.value, toClient: metrics.messagesToClient.value },
    socketBytes: { toUpstream: metrics.bytesToUpstream.value, toClient: metrics.bytesToClient.value },
  };
}

function readUpstream(upstream: Upstream, metrics: UpstreamMetrics): UpstreamReading {
  return {
    upstream,
    attempts: metrics.attempts.value,
    retries: metrics.retries.value,
    statuses: metrics.statuses.counts(),
    failures: metrics.failures(),
    ejections: metrics.ejections.value,
    headSeconds: metrics.headSeconds.read(),
    connections: { open: metrics.openConnections, idle: metrics.idleConnections },
    reused: metrics.reused.value,
    dialSeconds: metrics.dialSeconds.read(),
  };
}
