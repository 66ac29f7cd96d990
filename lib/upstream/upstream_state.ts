/**
 * In what condition an upstream can be, and what can happen to it.
 *
 * @module
 */

import type { Strike } from "./strike.ts";
import { Flag } from "./upstream_cells.ts";

/** What an operator wants of an upstream. */
export type AdminState = "active" | "draining" | "maintenance";

/** In what condition an upstream is; the first that holds. */
export type UpstreamState =
  | AdminState
  | "unhealthy"
  | "ejected"
  | "breaker_open"
  | "breaker_half_open"
  | "on_trial"
  | "rising";

/** What may happen to an upstream; told once, by the worker that saw it first. */
export type UpstreamChange =
  | { readonly kind: "ejected"; readonly strike: Strike; readonly forMs: number }
  | { readonly kind: "returned" }
  | { readonly kind: "breaker"; readonly change: "opened" | "closed" };

/** The condition that flags of cells tell: the gravest first, `active` when there is none. */
export function stateOf(flags: number): UpstreamState {
  return STATES.find(([flag]) => (flags & flag) !== 0)?.[1] ?? "active";
}

const STATES: readonly (readonly [flag: number, state: UpstreamState])[] = [
  [Flag.maintenance, "maintenance"],
  [Flag.draining, "draining"],
  [Flag.probedDown, "unhealthy"],
  [Flag.ejected, "ejected"],
  [Flag.open, "breaker_open"],
  [Flag.halfOpen, "breaker_half_open"],
  [Flag.onTrial, "on_trial"],
  [Flag.rising, "rising"],
];
