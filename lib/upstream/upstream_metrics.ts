/**
 * The metrics of an upstream and of a pool. Counted in this worker, across generations.
 *
 * @module
 */

import { MetricSet, type SnapshotOf } from "../metrics/metric_set.ts";
import type { MetricValues } from "../metrics/metric_values.ts";
import { STATUS_CLASSES } from "../metrics/status_class.ts";
import { FAILURE_CLASSES } from "./condition/failure_class.ts";

/** Values of the label `state` of connections. */
const CONNECTION_STATES = ["open", "idle"] as const;
/** Index of open connections. */
export const OPEN = CONNECTION_STATES.indexOf("open");
/** Index of idle connections, which are open as well. */
export const IDLE = CONNECTION_STATES.indexOf("idle");

/** The metrics `bws_upstream_…` that are counted; others are read from the upstream's state. */
export const UPSTREAM_METRICS = new MetricSet({
  attempts: { kind: "counter", name: "bws_upstream_attempts_total", help: "Attempts that began." },
  retries: {
    ...{ kind: "counter", name: "bws_upstream_retries_total" },
    help: "Attempts that were not the first of their exchange.",
  },
  statuses: {
    ...{ kind: "counter", name: "bws_upstream_requests_total" },
    help: "Attempts that got a response, by class of status.",
    labels: [["status_class", STATUS_CLASSES]],
    hideZero: ["other"],
  },
  // Failures of cause `status` and `slow` had a response and are in `statuses` too.
  failures: {
    ...{ kind: "counter", name: "bws_upstream_failures_total" },
    help: "What counts against it, by cause: unreachable, broken or timeout, or a response's status or slowness.",
    labels: [["cause", FAILURE_CLASSES]],
  },
  ejections: {
    ...{ kind: "counter", name: "bws_upstream_ejections_total" },
    help: "How often its failures ejected it.",
  },
  headSeconds: {
    ...{ kind: "histogram", name: "bws_upstream_request_duration_seconds", unit: "seconds" },
    help: "Time from the start of an attempt to the head of its response.",
  },
  connections: {
    ...{ kind: "gauge", name: "bws_upstream_connections" },
    help: "Connections for HTTP: those that are open, and those of them that idle.",
    labels: [["state", CONNECTION_STATES]],
  },
  dialled: {
    ...{ kind: "counter", name: "bws_upstream_connections_dialled_total" },
    help: "Connections that were dialled, those of WebSockets among them.",
  },
  reused: {
    ...{ kind: "counter", name: "bws_upstream_connections_reused_total" },
    help: "Attempts that used a kept connection.",
  },
  dialSeconds: {
    ...{ kind: "histogram", name: "bws_upstream_dial_duration_seconds", unit: "seconds" },
    help: "Time to look up, connect and, with TLS, shake hands; of connections that came about.",
  },
});

/** Connections by state. */
export const CONNECTIONS = UPSTREAM_METRICS.metrics.connections;

/** Attempts after the first of their exchange. */
export const RETRIES = UPSTREAM_METRICS.metrics.retries;

/** All values of an upstream at one moment. */
export type UpstreamMetricsSnapshot = SnapshotOf<typeof UPSTREAM_METRICS.declarations>;

/** The metrics of one upstream. */
export type UpstreamMetrics = MetricValues<UpstreamMetricsSnapshot>;

/** The metrics `bws_pool_…`. */
export const POOL_METRICS = new MetricSet({
  waiting: { kind: "gauge", name: "bws_pool_waiting", help: "Exchanges that wait for room at an upstream." },
});

/** All values of a pool at one moment. */
export type PoolMetricsSnapshot = SnapshotOf<typeof POOL_METRICS.declarations>;

/** The metrics of one pool. */
export type PoolMetrics = MetricValues<PoolMetricsSnapshot>;
