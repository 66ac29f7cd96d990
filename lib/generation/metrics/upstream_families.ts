/**
 * Families about upstreams and pools.
 *
 * @module
 */

import { Family, type FamilyOptions, type SampleSink } from "../../metrics/family.ts";
import { Labels } from "../../metrics/labels.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { Generation } from "../generation.ts";
import { type LabelledUpstream, labelledUpstreams } from "./upstream_labels.ts";

/** The families `bws_upstream_…` and `bws_pool_…`. */
export function upstreamFamilies(gateway: () => Generation): Family[] {
  return [
    ...FAMILIES.map(([options, collect]) =>
      new Family(options, (sink) => {
        for (const one of labelledUpstreams(gateway())) collect(one, sink);
      })
    ),
    waiting(gateway),
  ];
}

const FAMILIES: readonly (readonly [FamilyOptions, (one: LabelledUpstream, sink: SampleSink) => void])[] = [
  [
    {
      ...{ name: "bws_upstream_up", type: "gauge" },
      help: "1 when it may be given attempts: not unhealthy, ejected, drained, or cut off by its breaker.",
    },
    ({ upstream, labels }, sink) => {
      sharedTime.refresh();
      sink.value(labels.plain, upstream.sound ? 1 : 0);
    },
  ],
  [
    { name: "bws_upstream_in_flight", type: "gauge", help: "Attempts under way, open WebSockets among them." },
    ({ upstream, labels }, sink) => sink.value(labels.plain, upstream.inFlight),
  ],
  [
    { name: "bws_upstream_weight", type: "gauge", help: "Share of the load that it is given." },
    ({ upstream, labels }, sink) => sink.value(labels.plain, upstream.weight),
  ],
  [
    {
      name: "bws_upstream_state",
      type: "gauge",
      help: "1 for the state that it is in, as docs/resilience.md has them.",
    },
    ({ upstream, labels }, sink) => {
      const now = upstream.state;
      for (const [state, withState] of labels.byState) sink.value(withState, state === now ? 1 : 0);
    },
  ],
  [
    { name: "bws_upstream_breaker_state", type: "gauge", help: "1 for the state that its circuit breaker is in." },
    ({ upstream, labels }, sink) => {
      const { breaker } = upstream.facts;
      for (const [state, withState] of labels.byBreaker) sink.value(withState, state === breaker ? 1 : 0);
    },
  ],
  [
    { name: "bws_upstream_attempts_total", type: "counter", help: "Attempts that began." },
    ({ metrics, labels }, sink) => sink.value(labels.plain, metrics.attempts.value),
  ],
  [
    {
      ...{ name: "bws_upstream_retries_total", type: "counter" },
      help: "Attempts that were not the first of their exchange.",
    },
    ({ metrics, labels }, sink) => sink.value(labels.plain, metrics.retries.value),
  ],
  [
    { name: "bws_upstream_requests_total", type: "counter", help: "Attempts that were answered, by class of status." },
    ({ metrics, labels }, sink) => {
      for (const [index, count] of metrics.statuses.counts().entries()) {
        if (index > 0 || count > 0) sink.value(labels.byClass[index], count);
      }
    },
  ],
  [
    {
      ...{ name: "bws_upstream_failures_total", type: "counter" },
      help: "What counts against it, by cause: unreachable, broken or timeout, or an answer's status or slowness.",
    },
    ({ metrics, labels }, sink) => {
      const failures = metrics.failures();
      for (const [cause, withCause] of labels.byCause) sink.value(withCause, failures[cause]);
    },
  ],
  [
    { name: "bws_upstream_ejections_total", type: "counter", help: "How often its failures ejected it." },
    ({ metrics, labels }, sink) => sink.value(labels.plain, metrics.ejections.value),
  ],
  [
    {
      ...{ name: "bws_upstream_request_duration_seconds", type: "histogram", unit: "seconds" },
      help: "Time from the start of an attempt to the head of its answer.",
    },
    ({ metrics, labels }, sink) => sink.histogram(labels.plain, metrics.headSeconds.read()),
  ],
  [
    {
      ...{ name: "bws_upstream_connections", type: "gauge" },
      help: "Connections for HTTP: those that are open, and those of them that idle.",
    },
    ({ metrics, labels }, sink) => {
      for (const [state, withState] of labels.byConnection) {
        sink.value(withState, state === "open" ? metrics.openConnections : metrics.idleConnections);
      }
    },
  ],
  [
    {
      ...{ name: "bws_upstream_connections_dialled_total", type: "counter" },
      help: "Connections that were dialled, those of WebSockets among them.",
    },
    ({ metrics, labels }, sink) => {
      sink.value(labels.plain, metrics.dialSeconds.read().counts.reduce((sum, count) => sum + count, 0));
    },
  ],
  [
    {
      ...{ name: "bws_upstream_connections_reused_total", type: "counter" },
      help: "Attempts that used a kept connection.",
    },
    ({ metrics, labels }, sink) => sink.value(labels.plain, metrics.reused.value),
  ],
  [
    {
      ...{ name: "bws_upstream_dial_duration_seconds", type: "histogram", unit: "seconds" },
      help: "Time to look up, connect and, with TLS, shake hands; of connections that came about.",
    },
    ({ metrics, labels }, sink) => sink.histogram(labels.plain, metrics.dialSeconds.read()),
  ],
];

function waiting(gateway: () => Generation): Family {
  const options: FamilyOptions = {
    ...{ name: "bws_pool_waiting", type: "gauge", help: "Exchanges that wait for room at an upstream." },
  };
  return new Family(options, (sink) => {
    const { metrics, sites } = gateway();
    for (const { config: { name: site }, pools } of sites) {
      for (const pool of pools.keys()) {
        if (metrics !== undefined) sink.value(Labels.of({ site, pool }), metrics.pool(site, pool).waiting);
      }
    }
  });
}
