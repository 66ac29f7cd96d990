/**
 * Power of two choices: of two upstreams drawn at random, the less loaded one. Nearly as even as least connections, and
 * its cost does not grow with the pool.
 *
 * @module
 */

import { drawEvenly, eligible, GUESSES } from "./draw.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";

/**
 * Draws two different available upstreams and picks the one with fewer attempts in flight for its weight. Equals are
 * decided at random by weight.
 */
export class PowerOfTwo<C extends Candidate> implements Policy<C> {
  #upstreams: readonly C[];
  readonly #random: () => number;

  /** Takes no fields: the counts that it compares belong to the upstreams. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#upstreams = [...upstreams];
    this.#random = options?.random ?? Math.random;
  }

  /** The less loaded of two random available upstreams, or the only one; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const one = this.#guess(avoid, undefined) ?? drawEvenly(this.#upstreams, this.#random, avoid);
    if (one === undefined) return undefined;
    const other = this.#guess(avoid, one) ?? drawEvenly(this.#upstreams, this.#random, avoid, one);
    return other === undefined ? one : this.#lessLoaded(one, other);
  }

  /** Replaces the upstreams. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
  }

  #guess(avoid: readonly C[] | undefined, taken: C | undefined): C | undefined {
    const upstreams = this.#upstreams;
    if (upstreams.length === 0) return undefined;
    for (let guess = 0; guess < GUESSES; guess++) {
      const candidate = upstreams[Math.floor(this.#random() * upstreams.length)];
      if (candidate !== taken && eligible(candidate, avoid)) return candidate;
    }
    return undefined;
  }

  #lessLoaded(one: C, other: C): C {
    // Products instead of quotients: exact for integers.
    const difference = one.inFlight * other.weight - other.inFlight * one.weight;
    if (difference !== 0) return difference < 0 ? one : other;
    return this.#random() * (one.weight + other.weight) < one.weight ? one : other;
  }
}
