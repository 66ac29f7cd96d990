/**
 * The upstream with the smallest score: exact in a pool of usual size, the best of a sample in a very large one.
 *
 * @module
 */

import { AliasTable } from "./alias_table.ts";
import { eligible } from "./draw.ts";
import type { Candidate } from "./policy.ts";

/** Up to so many upstreams are all compared; a look at one takes about 20 ns. */
export const MAX_COMPARED = 128;
/** How many are compared in a larger pool. The best of 16 is among the best sixteenth on the average. */
export const SAMPLES = 16;
/** With fewer eligible ones than this in a full round of draws, all are compared. */
const MIN_SAMPLES = 4;

/**
 * Finds the available upstream with the smallest score. Equals are drawn by weight, so no position is favoured and the
 * weights hold in an idle pool too.
 *
 * Beyond {@linkcode MAX_COMPARED} upstreams it compares {@linkcode SAMPLES} that are drawn by weight. The first of
 * equals wins there, which again is a draw by weight.
 */
export class SmallestScore<C extends Candidate> {
  #upstreams: readonly C[] = [];
  #table = new AliasTable([]);
  readonly #score: (candidate: C) => number;
  readonly #random: () => number;

  /**
   * @param score Score of an upstream; never NaN.
   * @param random Uniform random numbers in [0, 1).
   */
  constructor(upstreams: readonly C[], score: (candidate: C) => number, random: () => number = Math.random) {
    this.#score = score;
    this.#random = random;
    this.update(upstreams);
  }

  /** The available upstream with the smallest score; undefined when there is none. */
  pick(avoid?: readonly C[]): C | undefined {
    const sampled = this.#upstreams.length > MAX_COMPARED ? this.#bestOfSample(avoid) : undefined;
    return sampled ?? this.#bestOfAll(avoid);
  }

  /** Replaces the upstreams. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
    this.#table = new AliasTable(upstreams.length > MAX_COMPARED ? upstreams.map(({ weight }) => weight) : []);
  }

  #bestOfAll(avoid: readonly C[] | undefined): C | undefined {
    const upstreams = this.#upstreams;
    let best: C | undefined;
    let bestScore = Infinity;
    let tiedWeight = 0;
    for (let i = 0; i < upstreams.length; i++) {
      const candidate = upstreams[i];
      if (!eligible(candidate, avoid)) continue;
      const score = this.#score(candidate);
      if (best === undefined || score < bestScore) {
        best = candidate;
        bestScore = score;
        tiedWeight = candidate.weight;
      } else if (score === bestScore) {
        const { weight } = candidate;
        tiedWeight += weight;
        if (this.#random() * tiedWeight < weight) best = candidate;
      }
    }
    return best;
  }

  #bestOfSample(avoid: readonly C[] | undefined): C | undefined {
    let best: C | undefined;
    let bestScore = Infinity;
    let seen = 0;
    for (let draw = 0; draw < SAMPLES; draw++) {
      const candidate = this.#upstreams[this.#table.draw(this.#random())];
      if (!eligible(candidate, avoid)) continue;
      seen++;
      const score = this.#score(candidate);
      if (best !== undefined && score >= bestScore) continue;
      best = candidate;
      bestScore = score;
    }
    return seen < MIN_SAMPLES ? undefined : best;
  }
}
