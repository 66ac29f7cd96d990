/**
 * Least connections: the upstream with the fewest attempts in flight for its weight.
 *
 * @module
 */

import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";
import { SmallestScore } from "./smallest_score.ts";

/**
 * Picks the available upstream with the smallest in-flight / weight, and draws among equals by weight. Exact for up to
 * 128 upstreams; in a larger pool the least of 16 that are drawn by weight.
 *
 * The other rule in use, (in-flight + 1) / weight, never ties at idle between unequal weights: with one request at a
 * time the heaviest upstream would get them all, and a lighter one whose breaker waits for a trial request would never
 * get it.
 */
export class LeastConnections<C extends Candidate> implements Policy<C> {
  readonly #least: SmallestScore<C>;

  /** Takes no fields: the counts that it compares belong to the upstreams. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#least = new SmallestScore(upstreams, load, options?.random);
  }

  /** The least loaded of the available upstreams; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    return this.#least.pick(avoid);
  }

  /** Replaces the upstreams. */
  update(upstreams: readonly C[]): void {
    this.#least.update(upstreams);
  }
}

// Division rounds equal ratios of integers to equal numbers, so ties are exact: 2/4 and 3/6 are both 0.5, 1/3 is 5/15.
function load({ inFlight, weight }: Candidate): number {
  return inFlight / weight;
}
