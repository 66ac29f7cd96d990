/**
 * How many connections to upstreams are open, as the metrics of a generation count them.
 *
 * @module
 */

import type { Generation } from "../../lib/generation/generation.ts";
import { takeMetricsSnapshot } from "../../lib/generation/metrics/metrics_snapshot.ts";

/**
 * Connections to all upstreams, idle ones included.
 *
 * @throws {Error} When the generation keeps no metrics.
 */
export function openConnections(generation: Generation): number {
  const counts = takeMetricsSnapshot(generation);
  if (counts === undefined) throw new Error("Cannot count connections: the config keeps no metrics");
  const upstreams = counts.sites.flatMap(({ pools }) => pools.flatMap((pool) => pool.upstreams));
  return upstreams.reduce((sum, { connections }) => sum + connections.open, 0);
}
