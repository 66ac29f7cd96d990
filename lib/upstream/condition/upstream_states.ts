/**
 * The state of an upstream: its names and their precedence, for the shared memory, the code, the log, the management
 * API, the metrics, the dashboard and `bws top`. The dashboard's scripts are type-checked against it without the types
 * of the runtime.
 *
 * @module
 */

/**
 * All states. Several may apply at a time; the first of this list that applies is the state. States set by an operator
 * come first, then those in which an upstream gets the fewest requests.
 *
 * - `maintenance`: set by an operator; no requests, no probes
 * - `draining`: set by an operator; exchanges in flight go on, no new requests
 * - `unhealthy`: its probes fail; no requests
 * - `breaker_open`: its circuit breaker tripped; no requests
 * - `ejected`: its attempts failed in a row; no requests, except when no other upstream is available
 * - `on_trial`: its ejection is over; one request at a time
 * - `breaker_half_open`: its breaker allows a few requests at a time
 * - `slow_start`: it became available again; a growing part of its share
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

/**
 * A bit for each state but `active`, which is that none of them is set. `known` is no state: some generation has made
 * the upstream before.
 */
export const Flag = {
  maintenance: 1,
  draining: 2,
  unhealthy: 4,
  breaker_open: 8,
  ejected: 16,
  on_trial: 32,
  breaker_half_open: 64,
  slow_start: 128,
  known: 256,
} as const satisfies Record<Exclude<UpstreamState, "active"> | "known", number>;

/** Flags of the states that an operator sets. */
export const OPERATOR_FLAGS = Flag.maintenance | Flag.draining;

/** Flags that restrict an upstream. */
export const UNAVAILABLE = OPERATOR_FLAGS | Flag.unhealthy | Flag.breaker_open | Flag.ejected | Flag.on_trial |
  Flag.breaker_half_open;

/** The state for a set of flags. */
export function stateOf(flags: number): UpstreamState {
  return UPSTREAM_STATES.find((state) => state === "active" || (flags & Flag[state]) !== 0) ?? "active";
}

/** Whether an upstream in that state gets requests, if only a few of them. */
export function takesRequests(state: UpstreamState): boolean {
  return UPSTREAM_STATES.indexOf(state) >= UPSTREAM_STATES.indexOf("on_trial");
}

/** States that an operator sets; `active` leaves the state to health checks and the breaker. */
export const ADMIN_STATES = ["active", "draining", "maintenance"] as const satisfies readonly UpstreamState[];

/** A state that an operator sets, one of {@linkcode ADMIN_STATES}. */
export type AdminState = typeof ADMIN_STATES[number];

/** States of a circuit breaker; an upstream without one has that of a closed one. */
export const BREAKER_STATES = ["closed", "open", "half_open"] as const;

/** The state of a circuit breaker, one of {@linkcode BREAKER_STATES}. */
export type BreakerState = typeof BREAKER_STATES[number];

/** The state of an upstream and its reasons. Times are the remaining milliseconds. */
export interface UpstreamFacts {
  /** The state. `maintenance` and `draining` are set by an operator and come before all others. */
  readonly state: UpstreamState;
  /** Until the end of its ejection by passive health checks; null when it is not ejected. */
  readonly ejectedForMs: number | null;
  /** Its circuit breaker. */
  readonly breaker: BreakerState;
  /** Until an open breaker allows a trial; null when it is not open. */
  readonly breakerRetryMs: number | null;
  /** Until the end of slow start; null when it is not in slow start. */
  readonly slowStartMs: number | null;
}
