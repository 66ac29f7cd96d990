/**
 * All families of a running server.
 *
 * @module
 */

import { ROUTE_METRICS } from "../../exchange/route_metrics.ts";
import { type AnyFeature, FEATURES } from "../../features/features.ts";
import { LISTENER_METRICS } from "../../listener/own/listener_metrics.ts";
import type { PortStatus } from "../../listener/port.ts";
import type { Family } from "../../metrics/family.ts";
import { processFamilies } from "../../metrics/process_families.ts";
import { POOL_METRICS, UPSTREAM_METRICS } from "../../upstream/upstream_metrics.ts";
import { VERSION } from "../../version.ts";
import type { Generation } from "../generation.ts";
import { certificateFamilies } from "./certificate_families.ts";
import { logFamilies } from "./log_families.ts";
import { measuredFeature, measuredPools, measuredPorts, measuredRoutes, measuredUpstreams } from "./measured_things.ts";
import {
  type ConfigFacts,
  configFamilies,
  portFamilies,
  siteFamilies,
  upstreamStateFamilies,
} from "./state_families.ts";

/** The parts of the server whose metrics are exposed. */
export interface ServerFamiliesOptions {
  /** The active generation. */
  readonly generation: () => Generation;
  /** Reloads of the config; undefined where it cannot change. */
  readonly config?: () => ConfigFacts;
  /** The ports of the sites; undefined where BWS opens none. */
  readonly ports?: () => readonly PortStatus[];
  /**
   * When the process started, in milliseconds since 1970.
   *
   * @default {performance.timeOrigin}
   */
  readonly startedMs?: number;
}

/**
 * All families of a running server, created once, in its main thread. There are none if the config has `metrics = false`.
 *
 * @example
 * ```ts ignore
 * const exposition = new Exposition(serverFamilies({ generation: () => server.generation }));
 * console.log(exposition.write("prometheus"));
 * ```
 */
export function serverFamilies({ generation, config, ports, startedMs }: ServerFamiliesOptions): Family[] {
  const { metrics, processState: { worker: place } } = generation();
  if (metrics === undefined) return [];
  // The supervisor's index is after those of its workers.
  const main = place.count > 1 && place.index === place.count - 1 ? place.index : undefined;
  return [
    ...ROUTE_METRICS.families(() => measuredRoutes(generation())),
    ...siteFamilies(generation),
    ...UPSTREAM_METRICS.families(() => measuredUpstreams(generation())),
    ...upstreamStateFamilies(generation),
    ...POOL_METRICS.families(() => measuredPools(generation())),
    ...FEATURES.flatMap(({ key, metrics }: AnyFeature) =>
      metrics?.families(() => measuredFeature(generation(), key)) ?? []
    ),
    ...certificateFamilies(generation),
    ...logFamilies(() => generation().processState.log),
    ...(config === undefined ? [] : configFamilies(config)),
    ...(ports === undefined ? [] : [
      ...portFamilies(ports),
      ...LISTENER_METRICS.families(() => measuredPorts(generation(), ports())),
    ]),
    ...processFamilies({ version: VERSION, worker: metrics.worker, main, startedMs }),
  ];
}
