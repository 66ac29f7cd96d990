/**
 * The state of an upstream: its names and their precedence, for the code, the log, the management API, the metrics, the
 * dashboard and `bws top`. The dashboard's scripts are checked against it without the types of the runtime.
 *
 * @module
 */

import { Flag } from "./upstream_cells.ts";

/**
 * All states. Several may hold at a time; the first of this list that holds is the state. What an operator decided comes
 * first, since it explains all others, then the one in which an upstream gets the least.
 *
 * - `maintenance`: an operator took it out; no requests, no probes
 * - `draining`: an operator lets it finish what it has; no new requests
 * - `unhealthy`: its probes fail; no requests
 * - `breaker_open`: its circuit breaker tripped; no requests
 * - `ejected`: its attempts failed in a row; no requests, but as the last resort
 * - `on_trial`: its ejection is over; one request at a time
 * - `breaker_half_open`: its breaker lets a few requests at a time through
 * - `slow_start`: it came back; a growing part of its share
 * - `active`: its whole share
 */
export const UPSTREAM_STATES = [
  "maintenance",
  "draining",
  "unhealthy",
  "breaker_open",
  "ejected",
  "on_trial",
  "breaker_half_open",
  "slow_start",
  "active",
] as const;

/** The state of an upstream, one of {@linkcode UPSTREAM_STATES}. */
export type UpstreamState = typeof UPSTREAM_STATES[number];

/** States of a circuit breaker; an upstream without one has that of a closed one. */
export const BREAKER_STATES = ["closed", "open", "half_open"] as const;

/** The state of a circuit breaker, one of {@linkcode BREAKER_STATES}. */
export type BreakerState = typeof BREAKER_STATES[number];

/** States that an operator sets; `active` leaves the state to health checks and the breaker. */
export const ADMIN_STATES = ["active", "draining", "maintenance"] as const satisfies readonly UpstreamState[];

/** A state that an operator sets, one of {@linkcode ADMIN_STATES}. */
export type AdminState = typeof ADMIN_STATES[number];

/** The state that flags of cells tell. */
export function stateOf(flags: number): UpstreamState {
  return UPSTREAM_STATES.find((state) => state === "active" || (flags & FLAG_OF[state]) !== 0) ?? "active";
}

/** Whether an upstream in that state gets requests, if only a few of them. */
export function takesRequests(state: UpstreamState): boolean {
  return UPSTREAM_STATES.indexOf(state) >= UPSTREAM_STATES.indexOf("on_trial");
}

const FLAG_OF: Readonly<Record<Exclude<UpstreamState, "active">, number>> = {
  maintenance: Flag.maintenance,
  draining: Flag.draining,
  unhealthy: Flag.probedDown,
  breaker_open: Flag.open,
  ejected: Flag.ejected,
  on_trial: Flag.onTrial,
  breaker_half_open: Flag.halfOpen,
  slow_start: Flag.rising,
};
