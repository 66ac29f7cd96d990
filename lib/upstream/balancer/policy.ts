/**
 * The contract of a balancing policy: given a pool's upstreams, which one takes the next attempt. Policies are
 * synchronous; what they count lies in `Atomics` fields, so one policy can be right across workers.
 *
 * @module
 */

import type { RequestHead } from "../../http/message.ts";
import type { TakeFields } from "../../state/shared_state.ts";
import type { PolicySettings } from "./policy_settings.ts";

/** The properties of an upstream that a policy uses. */
export interface Candidate {
  /**
   * Stable name, unique in a pool: its URL. Policies that choose by key hash it, so it decides which keys belong to the
   * upstream.
   */
  readonly id: string;
  /** Share of the load, 1 or more. */
  readonly weight: number;
  /** Whether it can take an attempt now: healthy, not full, breaker closed. */
  readonly available: boolean;
  /** Attempts in flight, in all workers. */
  readonly inFlight: number;
  /**
   * Time from an attempt's start to the head of its response, in milliseconds: a moving average that follows peaks at
   * once (peak EWMA); 0 while unknown. It must decay without samples, or an upstream that was slow once is never tried
   * again.
   */
  readonly latencyMs: number;
}

/** The properties of a request that a policy uses. */
export interface PolicyRequest {
  /** Head of the request. */
  readonly head: RequestHead;
  /** The client's address after `trusted_proxies` were applied. */
  readonly clientAddress: string;
  /**
   * Scheme that the client uses, after `trusted_proxies` were applied.
   *
   * @default {head.scheme}
   */
  readonly clientScheme?: "http" | "https";
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
  /**
   * The Set-Cookie value that sends the client's next request to `chosen`; undefined when none is needed. Called once
   * the head of the response has been read.
   *
   * @param request The request that was chosen for.
   * @param chosen The upstream that responded.
   */
  affinity?(request: PolicyRequest | undefined, chosen: C): string | undefined;
}

/** Makes a policy for a pool. */
export type PolicyFactory = <C extends Candidate>(upstreams: readonly C[], options?: PolicyOptions) => Policy<C>;

/** What a policy needs besides its upstreams. */
export interface PolicyOptions {
  /**
   * Allots the fields of its counters.
   *
   * @default {localFields}
   */
  takeFields?: TakeFields;
  /**
   * Uniform random numbers in [0, 1).
   *
   * @default {Math.random}
   */
  random?: () => number;
  /**
   * `[sites.proxy.load_balancing]` as the config resolves it.
   *
   * @default {{}}
   */
  settings?: PolicySettings;
  /**
   * Random text of this process, the same in all its workers: signs cookies where the settings have no secret.
   *
   * @default {random, of this policy alone}
   */
  secret?: string;
  /** Name of the pool, where several share the settings: keeps their cookies apart. */
  pool?: string;
}
