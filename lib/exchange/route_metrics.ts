/**
 * The metrics of the exchanges of one route, or of those of a site that matched no route. Counted in this worker,
 * across generations.
 *
 * @module
 */

import { Labels } from "../metrics/labels.ts";
import type { TakeMetricFields } from "../metrics/metric_fields.ts";
import { type MeasuredThing, MetricSet, type SnapshotOf } from "../metrics/metric_set.ts";
import { MetricValues } from "../metrics/metric_values.ts";
import { STATUS_CLASSES, statusClassIndex } from "../metrics/status_class.ts";
import type { Exchange, ExchangeMetrics } from "./exchange.ts";

/** Values of the label `method`. Clients may invent any number of others, which are counted as OTHER. */
const METHODS = [
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"],
  "OTHER",
] as const;

/** The group of metrics that only routes with `websocket = true` show. */
export const WEBSOCKET_GROUP = "websocket";

const DIRECTIONS = ["to_upstream", "to_client"] as const;
const TO_UPSTREAM = DIRECTIONS.indexOf("to_upstream");
const TO_CLIENT = DIRECTIONS.indexOf("to_client");

/**
 * The metrics `bws_http_…` and `bws_websocket_…` of a route. Those that each exchange changes come first, so that they lie in few
 * lines of the processor's caches.
 */
export const ROUTE_METRICS = new MetricSet({
  requestBytes: {
    ...{ kind: "counter", name: "bws_http_request_bytes_total", unit: "bytes" },
    help: "Bytes of the bodies of requests that were passed on.",
  },
  responseBytes: {
    ...{ kind: "counter", name: "bws_http_response_bytes_total", unit: "bytes" },
    help: "Bytes of the bodies of responses.",
  },
  // Scraped for each site, not for each route.
  inFlight: { kind: "gauge", help: "Exchanges under way, open WebSockets among them." },
  statuses: {
    ...{ kind: "counter", name: "bws_http_requests_total" },
    help: "Exchanges that ended, by method and class of status. A WebSocket ends when it closes, with 1xx.",
    labels: [["method", METHODS], ["status_class", STATUS_CLASSES]],
    // Most of the sixty combinations never occur.
    hideZero: true,
  },
  durations: {
    ...{ kind: "histogram", name: "bws_http_request_duration_seconds", unit: "seconds" },
    help:
      "Time from the start to the end of exchanges; WebSockets, streams of events and routes with streaming left out.",
  },
  openSockets: {
    ...{ kind: "gauge", name: "bws_websocket_open", group: WEBSOCKET_GROUP },
    help: "WebSockets that are open.",
  },
  socketMessages: {
    ...{ kind: "counter", name: "bws_websocket_messages_total", group: WEBSOCKET_GROUP },
    help: "Messages of WebSockets, by direction.",
    labels: [["direction", DIRECTIONS]],
  },
  socketBytes: {
    ...{ kind: "counter", name: "bws_websocket_bytes_total", unit: "bytes", group: WEBSOCKET_GROUP },
    help: "Bytes of the messages of WebSockets, by direction.",
    labels: [["direction", DIRECTIONS]],
  },
});

const { statuses, requestBytes, responseBytes, durations, inFlight, openSockets, socketMessages, socketBytes } =
  ROUTE_METRICS.metrics;

/** All values of a route at one moment. */
export type RouteMetricsSnapshot = SnapshotOf<typeof ROUTE_METRICS.declarations>;

/**
 * The metrics of one route. Owned by the registry; outlives generations. One object with its values: where thousands of routes
 * are asked in turn, each object is memory to be waited for.
 */
export class RouteMetrics extends MetricValues<RouteMetricsSnapshot> implements ExchangeMetrics, MeasuredThing {
  /** As in the config; "" for requests that matched no route. */
  readonly path: string;
  /** Its site and path. */
  readonly labels: Labels;

  /** @param site Name of the site; "" for requests that belong to none. */
  constructor(take: TakeMetricFields, site: string, path: string) {
    super(ROUTE_METRICS.list, take(ROUTE_METRICS.size, `route ${JSON.stringify([site, path])}`));
    this.path = path;
    this.labels = Labels.of({ site, route: path });
  }

  get values(): MetricValues<RouteMetricsSnapshot> {
    return this;
  }

  /** An exchange has begun. */
  began(): void {
    this.change(inFlight, 1);
  }

  /** An exchange that was counted here moves to another route. */
  left(): void {
    this.change(inFlight, -1);
  }

  /** Bytes of a request's body were passed on. */
  received(bytes: number): void {
    this.add(requestBytes, bytes);
  }

  /** Bytes of a response's body were sent, before the exchange ends. */
  sent(bytes: number): void {
    this.add(responseBytes, bytes);
  }

  /** An exchange has ended. */
  ended(exchange: Exchange): void {
    this.change(inFlight, -1);
    const index = methodIndex(exchange.head.method) * STATUS_CLASSES.length + statusClassIndex(exchange.status);
    this.add(statuses, 1, index);
    // The bytes of a WebSocket are counted apart, and the time that it was open is not a response time.
    if (exchange.closeCode !== 0) return;
    this.add(responseBytes, exchange.bytes - exchange.countedBytes);
    if (!exchange.lasting) this.observe(durations, exchange.durationMs / 1000);
  }

  /** A WebSocket was opened, or closed. */
  socketOpened(by: 1 | -1): void {
    this.change(openSockets, by);
  }

  /** Messages of a WebSocket, and bytes of messages, were sent to the upstream. */
  toUpstream(bytes: number, messages: number): void {
    this.add(socketMessages, messages, TO_UPSTREAM);
    this.add(socketBytes, bytes, TO_UPSTREAM);
  }

  /** Messages of a WebSocket, and bytes of messages, were sent to the client. */
  toClient(bytes: number, messages: number): void {
    this.add(socketMessages, messages, TO_CLIENT);
    this.add(socketBytes, bytes, TO_CLIENT);
  }

  /** Exchanges in flight, in all workers or in one. */
  inFlight(worker?: number): number {
    return this.value(inFlight, 0, worker);
  }
}

function methodIndex(method: string): number {
  switch (method) {
    case "GET":
      return 0;
    case "HEAD":
      return 1;
    case "POST":
      return 2;
    case "PUT":
      return 3;
    case "PATCH":
      return 4;
    case "DELETE":
      return 5;
    case "OPTIONS":
      return 6;
    case "TRACE":
      return 7;
    case "CONNECT":
      return 8;
    default:
      return 9;
  }
}
