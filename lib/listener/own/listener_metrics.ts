/**
 * The metrics of the connections of clients to one port. Counted in this worker, across generations.
 *
 * @module
 */

import { MetricSet, type SnapshotOf } from "../../metrics/metric_set.ts";
import type { MetricValues } from "../../metrics/metric_values.ts";
import { FLOOD_CAUSES, type FloodCause } from "../../http2/flood_budget.ts";
import { HANDSHAKE_RESULTS, type HandshakeResult } from "../tls/handshake_result.ts";
import { CLOSE_CAUSES, type CloseCause } from "./close_cause.ts";

/** The metrics `bws_listener_…` that are counted; others are read from the state of the port. */
export const LISTENER_METRICS = new MetricSet({
  accepted: {
    ...{ kind: "counter", name: "bws_listener_connections_accepted_total" },
    help: "Connections of clients that were accepted.",
  },
  open: { kind: "gauge", name: "bws_listener_connections", help: "Connections of clients that are open." },
  closed: {
    ...{ kind: "counter", name: "bws_listener_connections_closed_total" },
    help: "Connections of clients that were closed, by cause.",
    labels: [["cause", CLOSE_CAUSES]],
  },
  acceptFailures: {
    ...{ kind: "counter", name: "bws_listener_accept_failures_total" },
    help: "Connections that could not be accepted, as when file handles ran out.",
  },
  http2: {
    ...{ kind: "counter", name: "bws_listener_http2_connections_total", hideZero: true },
    help: "Connections of clients that spoke HTTP/2.",
  },
  streams: {
    ...{ kind: "gauge", name: "bws_listener_http2_streams", hideZero: true },
    help: "Streams of HTTP/2 that are open.",
  },
  floods: {
    ...{ kind: "counter", name: "bws_listener_http2_floods_total", hideZero: true },
    help: "Connections of HTTP/2 that were ended with ENHANCE_YOUR_CALM, by cause.",
    labels: [["cause", FLOOD_CAUSES]],
  },
  handshakes: {
    ...{ kind: "counter", name: "bws_tls_handshakes_total", hideZero: true },
    help: "TLS handshakes of clients that have ended, by result.",
    labels: [["result", HANDSHAKE_RESULTS]],
  },
});

/** All values of a port at one moment. */
export type ListenerMetricsSnapshot = SnapshotOf<typeof LISTENER_METRICS.declarations>;

/** The metrics of one port. */
export type ListenerMetrics = MetricValues<ListenerMetricsSnapshot>;

/** Counts a connection that was closed. */
export function countClosed(metrics: ListenerMetrics, cause: CloseCause): void {
  metrics.add(LISTENER_METRICS.metrics.closed, 1, CLOSE_CAUSES.indexOf(cause));
}

/** Counts a connection of HTTP/2 that was ended because of a flood. */
export function countFlood(metrics: ListenerMetrics, cause: FloodCause): void {
  metrics.add(LISTENER_METRICS.metrics.floods, 1, FLOOD_CAUSES.indexOf(cause));
}

/** Counts a TLS handshake that has ended. */
export function countHandshake(metrics: ListenerMetrics, result: HandshakeResult): void {
  metrics.add(LISTENER_METRICS.metrics.handshakes, 1, HANDSHAKE_RESULTS.indexOf(result));
}
