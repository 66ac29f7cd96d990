/**
 * Slow start: an upstream that has just come back gets a share that grows from a tenth to all of its own.
 *
 * @module
 */

import { changeFlags, Flag, RISEN_AT, type UpstreamRow } from "./upstream_cells.ts";

/** The share that an upstream begins with. */
const FIRST_SHARE = 0.1;

/**
 * The share of its turns that a rising upstream takes now, from 0.1 to 1. At 1 it has risen, and its flag is cleared.
 *
 * @param slowStartMs How long it rises, in milliseconds.
 */
export function risenShare({ cells, times }: UpstreamRow, slowStartMs: number, nowMs: number): number {
  const ageMs = nowMs - times[RISEN_AT];
  if (ageMs >= 0 && ageMs < slowStartMs) return Math.max(FIRST_SHARE, ageMs / slowStartMs);
  changeFlags(cells, { clear: Flag.rising });
  return 1;
}
