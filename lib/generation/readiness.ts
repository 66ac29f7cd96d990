/**
 * Whether a site is ready, and if not, why.
 *
 * @module
 */

import { sumAt } from "../metrics/metric_fields.ts";
import type { Pool } from "../upstream/pool.ts";
import { CLOSED, NOT_ACCEPTING, type ProcessState } from "./process_state.ts";

/** The readiness of a site with these pools. */
export function readiness(pools: Iterable<Pool>, processState: ProcessState): { ready: boolean; missing: string[] } {
  const missing: string[] = processState.stopping ? ["the server is stopping"] : [];
  // Ports of other sites count, too: a client of a closed port could not ask.
  const { failedPorts } = processState;
  if (sumAt(failedPorts, CLOSED) > 0) missing.push("a port is closed that should be open");
  if (sumAt(failedPorts, NOT_ACCEPTING) > 0) missing.push("a port cannot accept connections");
  for (const pool of pools) {
    // An upstream that is full is healthy: a server at its peak load is ready.
    if (!pool.upstreams.some((upstream) => upstream.condition.healthy)) {
      missing.push(`pool ${pool.name}: no upstream is available`);
    }
  }
  return { ready: missing.length === 0, missing };
}
