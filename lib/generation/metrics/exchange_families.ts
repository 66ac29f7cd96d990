/**
 * Families about what clients asked for: exchanges and WebSockets, by site and route. Their label values come from the
 * config, from a list of methods and from status classes, never from a client, so their number has a bound.
 *
 * @module
 */

import { Family, type FamilyOptions, type SampleSink } from "../../metrics/family.ts";
import { Labels } from "../../metrics/labels.ts";
import type { Generation } from "../generation.ts";
import type { RouteMetrics } from "./route_metrics.ts";

/** The families `bws_http_…` and `bws_websocket_…`. */
export function exchangeFamilies(gateway: () => Generation): Family[] {
  const forRoutes = (options: FamilyOptions, collect: (route: RouteMetrics, sink: SampleSink) => void) =>
    new Family(options, (sink) => {
      for (const route of routesOf(gateway())) collect(route, sink);
    });
  const forSockets = (options: FamilyOptions, collect: (route: RouteMetrics, sink: SampleSink) => void) =>
    new Family(options, (sink) => {
      for (const site of gateway().sites) for (const route of site.metrics?.socketRoutes ?? []) collect(route, sink);
    });
  return [
    forRoutes(
      {
        ...{ name: "bws_http_requests_total", type: "counter" },
        help: "Exchanges that ended, by method and class of status. A WebSocket ends when it closes, with 1xx.",
      },
      (route, sink) => route.forRequests((labels, count) => sink.value(labels, count)),
    ),
    new Family(
      {
        ...{ name: "bws_http_requests_in_flight", type: "gauge" },
        help: "Exchanges under way, open WebSockets among them.",
      },
      (sink) => {
        for (const { metrics, config } of gateway().sites) {
          if (metrics !== undefined) sink.value(siteLabels(config.name), metrics.inFlight);
        }
      },
    ),
    forRoutes(
      {
        ...{ name: "bws_http_request_duration_seconds", type: "histogram", unit: "seconds" },
        help:
          "Time from the start to the end of exchanges; WebSockets, streams of events and routes with streaming left out.",
      },
      ({ labels, durations }, sink) => sink.histogram(labels, durations.read()),
    ),
    forRoutes(
      {
        ...{ name: "bws_http_request_bytes_total", type: "counter", unit: "bytes" },
        help: "Bytes of the bodies of requests that were passed on.",
      },
      ({ labels, requestBytes }, sink) => sink.value(labels, requestBytes.value),
    ),
    forRoutes(
      {
        ...{ name: "bws_http_response_bytes_total", type: "counter", unit: "bytes" },
        help: "Bytes of the bodies of answers.",
      },
      ({ labels, responseBytes }, sink) => sink.value(labels, responseBytes.value),
    ),
    forSockets(
      { name: "bws_websocket_open", type: "gauge", help: "WebSockets that are open." },
      ({ labels, openSockets }, sink) => sink.value(labels, openSockets),
    ),
    forSockets(
      { name: "bws_websocket_messages_total", type: "counter", help: "Messages of WebSockets, by direction." },
      ({ labels, messagesToUpstream, messagesToClient }, sink) => {
        sink.value(labels.with(TO_UPSTREAM), messagesToUpstream.value);
        sink.value(labels.with(TO_CLIENT), messagesToClient.value);
      },
    ),
    forSockets(
      {
        ...{ name: "bws_websocket_bytes_total", type: "counter", unit: "bytes" },
        help: "Bytes of the messages of WebSockets, by direction.",
      },
      ({ labels, bytesToUpstream, bytesToClient }, sink) => {
        sink.value(labels.with(TO_UPSTREAM), bytesToUpstream.value);
        sink.value(labels.with(TO_CLIENT), bytesToClient.value);
      },
    ),
  ];
}

const TO_UPSTREAM = Labels.of({ direction: "to_upstream" });
const TO_CLIENT = Labels.of({ direction: "to_client" });

function* routesOf(gateway: Generation): Iterable<RouteMetrics> {
  if (gateway.metrics === undefined) return;
  yield gateway.metrics.refused;
  for (const { metrics } of gateway.sites) if (metrics !== undefined) yield* metrics.routes;
}

function siteLabels(site: string): Labels {
  return Labels.of({ site });
}
