/**
 * Families whose values are read at each scrape: the state of upstreams, sites, ports and of the config.
 *
 * @module
 */

import { accepts, type PortStatus } from "../../listener/port.ts";
import { Family, type FamilyOptions, type SampleSink } from "../../metrics/family.ts";
import { Labels, type LabelValues } from "../../metrics/labels.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { BREAKER_STATES, UPSTREAM_STATES } from "../../upstream/condition/upstream_states.ts";
import type { Generation } from "../generation.ts";
import { measuredUpstreams } from "./measured_things.ts";

/** The active config and the results of reloads. */
export interface ConfigFacts {
  /** Number of the active config, counted from 1. */
  readonly generation: number;
  /** When the active config was loaded, in milliseconds since 1970. */
  readonly loadedAtMs: number;
  readonly acceptedCount: number;
  readonly refusedCount: number;
}

/** A gauge of an upstream; with the names of the states where the value is a state. */
interface UpstreamGauge {
  readonly name: string;
  readonly help: string;
  readonly read: (upstream: Upstream) => number | string;
  /** There is a sample for each state: 1 for the current state, 0 for the others. */
  readonly states?: LabelValues;
}

const UPSTREAM_GAUGES: readonly UpstreamGauge[] = [
  {
    name: "bws_upstream_up",
    help: "1 when it may be given attempts: not maintenance, draining, unhealthy, breaker_open or ejected.",
    read: (upstream) => upstream.condition.healthy ? 1 : 0,
  },
  {
    name: "bws_upstream_in_flight",
    help: "Attempts under way, open WebSockets among them.",
    read: ({ inFlight }) => inFlight,
  },
  { name: "bws_upstream_weight", help: "Share of the load that it is given.", read: ({ weight }) => weight },
  {
    name: "bws_upstream_state",
    help: "1 for the state that it is in, as docs/resilience.md has them.",
    read: ({ state }) => state,
    states: [["state", UPSTREAM_STATES]],
  },
  {
    name: "bws_upstream_breaker_state",
    help: "1 for the state that its circuit breaker is in.",
    read: ({ condition: { facts: { breaker } } }) => breaker,
    states: [["state", BREAKER_STATES]],
  },
];

/** The families `bws_upstream_…` of the current state of upstreams. */
export function upstreamStateFamilies(generation: () => Generation): Family[] {
  return UPSTREAM_GAUGES.map(({ name, help, read, states }) =>
    new Family({ name, help, type: "gauge" }, (sink) => {
      sharedTime.refresh();
      for (const { upstream, labels } of measuredUpstreams(generation())) {
        const found = read(upstream);
        if (states === undefined) sink.value(labels, Number(found));
        else {
          const [[, names]] = states;
          for (const [index, each] of labels.combined(states).entries()) {
            sink.value(each, names[index] === found ? 1 : 0);
          }
        }
      }
    })
  );
}

/** Exchanges under way, by site. */
export function siteFamilies(generation: () => Generation): Family[] {
  const options: FamilyOptions = {
    ...{ name: "bws_http_requests_in_flight", type: "gauge" },
    help: "Exchanges under way, open WebSockets among them.",
  };
  return [
    new Family(options, (sink) => {
      for (const { metrics, config: { name: site } } of generation().sites) {
        if (metrics !== undefined) sink.value(Labels.of({ site }), metrics.inFlight);
      }
    }),
  ];
}

/** The families `bws_listener_…`. */
export function portFamilies(ports: () => readonly PortStatus[]): Family[] {
  const family = (options: FamilyOptions, read: (port: PortStatus) => number) =>
    new Family(options, (sink) => {
      for (const port of ports()) {
        sink.value(Labels.of({ address: port.address, port: String(port.port) }), read(port));
      }
    });
  return [
    family({
      ...{ name: "bws_listener_up", type: "gauge" },
      help: "1 while a port accepts connections in all workers, 0 while it is closed or cannot accept any.",
    }, (status) => accepts(status) ? 1 : 0),
    family({
      ...{ name: "bws_listener_reopened_total", type: "counter" },
      help: "How often a port that closed was opened again.",
    }, ({ reopenings }) => reopenings),
  ];
}

/** The families `bws_config_…`. */
export function configFamilies(config: () => ConfigFacts): Family[] {
  const family = (options: FamilyOptions, collect: (facts: ConfigFacts, sink: SampleSink) => void) =>
    new Family(options, (sink) => collect(config(), sink));
  return [
    family({
      ...{ name: "bws_config_generation", type: "gauge" },
      help: "Counts up with each config that was put in place, from 1.",
    }, ({ generation }, sink) => sink.value(Labels.NONE, generation)),
    family({
      ...{ name: "bws_config_reloads_total", type: "counter" },
      help: "Reloads, by what became of them.",
    }, ({ acceptedCount, refusedCount }, sink) => {
      sink.value(ACCEPTED, acceptedCount);
      sink.value(REFUSED, refusedCount);
    }),
    family({
      ...{ name: "bws_config_last_reload_success_timestamp_seconds", type: "gauge", unit: "seconds" },
      help: "When the config that runs was put in place, in seconds since 1970.",
    }, ({ loadedAtMs }, sink) => sink.value(Labels.NONE, loadedAtMs / 1000)),
  ];
}

const ACCEPTED = Labels.of({ result: "success" });
const REFUSED = Labels.of({ result: "failure" });
