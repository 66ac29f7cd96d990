/**
 * The contract of a balancing policy: given a pool's upstreams, which one takes the next attempt. Policies are
 * synchronous; what they count lies in `Atomics` cells, so one policy can be right across workers.
 *
 * @module
 */

import type { RequestHead } from "../http/message.ts";
import type { TakeCells } from "../state/cells.ts";

/** What a policy may know of an upstream. */
export interface Candidate {
  /** Share of the load, 1 or more. */
  readonly weight: number;
  /** Whether it can take an attempt now: healthy, not full, breaker closed. */
  readonly available: boolean;
  /** Attempts under way, in all workers. */
  readonly inFlight: number;
}

/** What a policy may know of the request that it chooses for. */
export interface PolicyRequest {
  /** Head of the request. */
  readonly head: RequestHead;
  /** The client's address after `trusted_proxies` were applied. */
  readonly clientAddress: string;
}

/** Chooses among the upstreams of one pool. */
export interface Policy<C extends Candidate = Candidate> {
  /**
   * The upstream for the next attempt, or undefined when none is available.
   *
   * @param request The request to choose for; policies that do not look at requests ignore it.
   * @param avoid Upstreams that this exchange has already tried; never picked.
   */
  pick(request?: PolicyRequest, avoid?: readonly C[]): C | undefined;
  /** Replaces the set of upstreams, in order. Counts of upstreams that stay are kept. */
  update(upstreams: readonly C[]): void;
}

/** Makes a policy for a pool. */
export type PolicyFactory = <C extends Candidate>(upstreams: readonly C[], options?: PolicyOptions) => Policy<C>;

/** What a policy needs besides its upstreams. */
export interface PolicyOptions {
  /**
   * Where its counters live.
   *
   * @default {localCells}
   */
  takeCells?: TakeCells;
  /**
   * Uniform random numbers in [0, 1).
   *
   * @default {Math.random}
   */
  random?: () => number;
}
