/**
 * Jumps of the clock that ejections, breakers and slow starts go by, in the test's own process. Deadlines and timers have
 * clocks of their own.
 *
 * @module
 */

import { sharedTime } from "../../lib/state/shared_time.ts";

/** Sets the clock forward. */
export function jump(ms: number): void {
  const { nowMs, wallMs } = sharedTime.snapshot;
  sharedTime.align({ nowMs: nowMs + ms, wallMs });
}
