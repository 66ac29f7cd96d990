/**
 * Least time: the upstream that is expected to respond first, by its latency and its load.
 *
 * @module
 */

import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";
import { SmallestScore } from "./smallest_score.ts";

/**
 * Latency of an upstream whose first attempt is in flight: longer than any measured one, so that no more is sent to it
 * until it has responded, unless all are like that.
 */
const UNTRIED_LATENCY_MS = 1e9;

/**
 * Picks the available upstream with the smallest latency × (in-flight + 1) / weight, where the latency is the peak EWMA
 * of the time to a response's head. One without a sample and without an attempt in flight comes before all others, one
 * attempt at a time; where all are without samples, the load decides. Equals are drawn by weight.
 *
 * Exact for up to 128 upstreams; in a larger pool the best of 16 that are drawn by weight.
 */
export class LeastTime<C extends Candidate> implements Policy<C> {
  readonly #least: SmallestScore<C>;

  /** Takes no fields: the counts that it compares belong to the upstreams. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#least = new SmallestScore(upstreams, expectedTime, options?.random);
  }

  /** The available upstream that is expected to respond first; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    return this.#least.pick(avoid);
  }

  /** Replaces the upstreams. */
  update(upstreams: readonly C[]): void {
    this.#least.update(upstreams);
  }
}

function expectedTime({ latencyMs, inFlight, weight }: Candidate): number {
  if (latencyMs > 0) return latencyMs * (inFlight + 1) / weight;
  return inFlight === 0 ? 0 : UNTRIED_LATENCY_MS * (inFlight + 1) / weight;
}
