/**
 * All families of a running server.
 *
 * @module
 */

import { Family, type FamilyOptions, type SampleSink } from "../../metrics/family.ts";
import { Labels } from "../../metrics/labels.ts";
import { processFamilies } from "../../metrics/process_families.ts";
import { VERSION } from "../../version.ts";
import type { Generation } from "../generation.ts";
import type { PortStatus } from "../../listener/runtime/serving_port.ts";
import { exchangeFamilies } from "./exchange_families.ts";
import { portFamilies } from "./port_families.ts";
import { upstreamFamilies } from "./upstream_families.ts";

/** What became of configs. */
export interface ConfigFacts {
  /** Counts up with each config that was put in place, from 1. */
  readonly generation: number;
  /** When the one that runs was put in place, in milliseconds since 1970. */
  readonly loadedAtMs: number;
  /** Reloads that were accepted. */
  readonly acceptedCount: number;
  /** Reloads that were refused. */
  readonly refusedCount: number;
}

/** What is told about. */
export interface GatewayFamiliesOptions {
  /** The generation that serves now. */
  readonly gateway: () => Generation;
  /** What became of configs; undefined where they cannot change. */
  readonly config?: () => ConfigFacts;
  /** The ports of the sites; undefined where others listen for them. */
  readonly ports?: () => readonly PortStatus[];
  /**
   * When the process started, in milliseconds since 1970.
   *
   * @default {performance.timeOrigin}
   */
  readonly startedMs?: number;
}

/**
 * All families of a running server: to be made once, in its main thread, and scraped as often as one likes. There are
 * none when its config says `metrics = false`.
 *
 * @example
 * ```ts ignore
 * const exposition = new Exposition(gatewayFamilies({ gateway: () => server.gateway }));
 * console.log(exposition.write("prometheus"));
 * ```
 */
export function gatewayFamilies({ gateway, config, ports, startedMs }: GatewayFamiliesOptions): Family[] {
  const { metrics: book, processState: { worker: place } } = gateway();
  if (book === undefined) return [];
  // The supervisor's place is behind those of its workers.
  const main = place.count > 1 && place.index === place.count - 1 ? place.index : undefined;
  return [
    ...exchangeFamilies(gateway),
    ...upstreamFamilies(gateway),
    ...(config === undefined ? [] : configFamilies(config)),
    ...(ports === undefined ? [] : portFamilies(ports)),
    ...processFamilies({ version: VERSION, worker: book.worker, main, startedMs }),
  ];
}

function configFamilies(config: () => ConfigFacts): Family[] {
  const family = (options: FamilyOptions, collect: (facts: ConfigFacts, sink: SampleSink) => void) =>
    new Family(options, (sink) => collect(config(), sink));
  return [
    family(
      {
        name: "bws_config_generation",
        type: "gauge",
        help: "Counts up with each config that was put in place, from 1.",
      },
      ({ generation }, sink) => sink.value(Labels.NONE, generation),
    ),
    family(
      { name: "bws_config_reloads_total", type: "counter", help: "Reloads, by what became of them." },
      ({ acceptedCount, refusedCount }, sink) => {
        sink.value(ACCEPTED, acceptedCount);
        sink.value(REFUSED, refusedCount);
      },
    ),
    family(
      {
        ...{ name: "bws_config_last_reload_success_timestamp_seconds", type: "gauge", unit: "seconds" },
        help: "When the config that runs was put in place, in seconds since 1970.",
      },
      ({ loadedAtMs }, sink) => sink.value(Labels.NONE, loadedAtMs / 1000),
    ),
  ];
}

const ACCEPTED = Labels.of({ result: "success" });
const REFUSED = Labels.of({ result: "failure" });
