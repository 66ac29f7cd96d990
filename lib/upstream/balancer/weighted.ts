/**
 * Weighted: each pick is random, with chances in proportion to the weights.
 *
 * @module
 */

import { AliasTable } from "./alias_table.ts";
import { drawByWeight, eligible, GUESSES } from "./draw.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";

/**
 * Picks by weight in constant time, however many upstreams there are.
 *
 * A guess that falls on an upstream that cannot be picked is thrown away and repeated, which leaves the proportions of
 * the others exact; after a few, one pass over all upstreams decides.
 */
export class Weighted<C extends Candidate> implements Policy<C> {
  #upstreams: readonly C[] = [];
  #table = new AliasTable([]);
  readonly #random: () => number;

  /** Takes no fields: each pick is independent of the last. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#random = options?.random ?? Math.random;
    this.update(upstreams);
  }

  /** A random upstream by weight among those that are available; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const upstreams = this.#upstreams;
    if (upstreams.length === 0) return undefined;
    for (let guess = 0; guess < GUESSES; guess++) {
      const candidate = upstreams[this.#table.draw(this.#random())];
      if (eligible(candidate, avoid)) return candidate;
    }
    return drawByWeight(upstreams, this.#random, avoid);
  }

  /** Replaces the upstreams and builds the table anew. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
    this.#table = new AliasTable(upstreams.map((upstream) => upstream.weight));
  }
}
