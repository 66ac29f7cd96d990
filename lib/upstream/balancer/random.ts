/**
 * Random: every available upstream has the same chance, whatever its weight.
 *
 * @module
 */

import { drawEvenly, eligible, GUESSES } from "./draw.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";

/** Picks evenly at random in constant time, or by one pass over all upstreams where most are not available. */
export class Random<C extends Candidate> implements Policy<C> {
  #upstreams: readonly C[];
  readonly #random: () => number;

  /** Takes no fields: each pick is independent of the last. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#upstreams = [...upstreams];
    this.#random = options?.random ?? Math.random;
  }

  /** A random upstream among those that are available; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const upstreams = this.#upstreams;
    if (upstreams.length === 0) return undefined;
    for (let guess = 0; guess < GUESSES; guess++) {
      const candidate = upstreams[Math.floor(this.#random() * upstreams.length)];
      if (eligible(candidate, avoid)) return candidate;
    }
    return drawEvenly(upstreams, this.#random, avoid);
  }

  /** Replaces the upstreams. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
  }
}
