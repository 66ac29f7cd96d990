/**
 * Least connections: the upstream with the fewest attempts in flight for its weight.
 *
 * @module
 */

import { eligible } from "./draw.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";

/**
 * Picks the available upstream with the smallest in-flight / weight. Among equals it draws by weight, so no position is
 * favoured and the weights hold in an idle pool too.
 *
 * The other rule in use, (in-flight + 1) / weight, never ties at idle between unequal weights: with one request at a time
 * the heaviest upstream would get them all, and a lighter one whose breaker waits for a trial request would never see it.
 */
export class LeastConnections<C extends Candidate> implements Policy<C> {
  #upstreams: readonly C[];
  readonly #random: () => number;

  /** Takes no cells: the counts that it compares belong to the upstreams. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#upstreams = [...upstreams];
    this.#random = options?.random ?? Math.random;
  }

  /** The least loaded of the available upstreams; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const upstreams = this.#upstreams;
    let best: C | undefined;
    let bestInFlight = 0;
    let bestWeight = 1;
    let tiedWeight = 0;
    for (let i = 0; i < upstreams.length; i++) {
      const candidate = upstreams[i];
      if (!eligible(candidate, avoid)) continue;
      const { inFlight, weight } = candidate;
      // a/b < c/d as a·d < c·b: products of integers are exact where quotients are not.
      const difference = inFlight * bestWeight - bestInFlight * weight;
      if (best === undefined || difference < 0) {
        best = candidate;
        bestInFlight = inFlight;
        bestWeight = weight;
        tiedWeight = weight;
      } else if (difference === 0) {
        tiedWeight += weight;
        if (this.#random() * tiedWeight < weight) best = candidate;
      }
    }
    return best;
  }

  /** Replaces the upstreams. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
  }
}
