/**
 * What is known of an upstream, each fact by itself: for those who tell operators, not for balancing.
 *
 * @module
 */

import { EJECTED_UNTIL, Flag, FLAGS, OPEN_UNTIL, RISEN_AT, type UpstreamRow } from "./upstream_cells.ts";
import { type BreakerState, stateOf, type UpstreamState } from "./upstream_state.ts";

/** The facts. Times are in milliseconds, and what is left of them. */
export interface UpstreamFacts {
  /** Its state, which follows from the other facts. */
  readonly state: UpstreamState;
  /** Whether its probes fail. */
  readonly probedDown: boolean;
  /** For how long it is ejected still; null when it is not. */
  readonly ejectedForMs: number | null;
  /** Its circuit breaker; closed too where it has none. */
  readonly breaker: BreakerState;
  /** Until an open breaker lets an attempt through; null when it is not open. */
  readonly breakerRetryMs: number | null;
  /** Until it has its whole share of the load again; null when it is not starting slowly. */
  readonly slowStartMs: number | null;
}

/**
 * Reads the facts.
 *
 * @param slowStartMs How long it rises after it came back, in milliseconds.
 */
export function readFacts({ cells, times }: UpstreamRow, slowStartMs: number, nowMs: number): UpstreamFacts {
  const flags = Atomics.load(cells, FLAGS);
  const until = (time: number) => Math.max(0, times[time] - nowMs);
  const open = (flags & Flag.open) !== 0;
  const risesForMs = slowStartMs - (nowMs - times[RISEN_AT]);
  const slow = (flags & Flag.rising) !== 0 && risesForMs > 0;
  return {
    state: stateOf(slow ? flags : flags & ~Flag.rising),
    probedDown: (flags & Flag.probedDown) !== 0,
    ejectedForMs: (flags & Flag.ejected) !== 0 ? until(EJECTED_UNTIL) : null,
    breaker: open ? "open" : (flags & Flag.halfOpen) !== 0 ? "half_open" : "closed",
    breakerRetryMs: open ? until(OPEN_UNTIL) : null,
    slowStartMs: slow ? risesForMs : null,
  };
}
