/**
 * Weighted: each pick is random, with chances in proportion to the weights.
 *
 * @module
 */

import { drawByWeight, eligible, GUESSES } from "./draw.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";

/**
 * Picks by weight in constant time, however many upstreams there are (Walker's alias method, tables built as Vose does).
 *
 * A guess that falls on an upstream that cannot be picked is thrown away and repeated, which leaves the proportions of
 * the others exact; after a few, one pass over all upstreams decides.
 */
export class Weighted<C extends Candidate> implements Policy<C> {
  #upstreams: readonly C[] = [];
  #table: AliasTable = { keep: new Float64Array(0), alias: new Uint32Array(0) };
  readonly #random: () => number;

  /** Takes no cells: each pick is independent of the last. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#random = options?.random ?? Math.random;
    this.update(upstreams);
  }

  /** A random upstream by weight among those that are available; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const upstreams = this.#upstreams;
    if (upstreams.length === 0) return undefined;
    const { keep, alias } = this.#table;
    for (let guess = 0; guess < GUESSES; guess++) {
      // One random number serves twice: its whole part chooses the column, its fraction the upstream in it.
      const point = this.#random() * upstreams.length;
      const column = Math.floor(point);
      const candidate = upstreams[point - column < keep[column] ? column : alias[column]];
      if (eligible(candidate, avoid)) return candidate;
    }
    return drawByWeight(upstreams, this.#random, avoid);
  }

  /** Replaces the upstreams and builds the table anew. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
    this.#table = aliasTable(upstreams);
  }
}

/** Columns of equal width, one an upstream, each shared by two upstreams at most. */
interface AliasTable {
  /** Part of the column that belongs to its own upstream, 0 to 1. */
  readonly keep: Float64Array;
  /** Index of the upstream that has the rest of the column. */
  readonly alias: Uint32Array;
}

function aliasTable(upstreams: readonly Candidate[]): AliasTable {
  const count = upstreams.length;
  const total = upstreams.reduce((sum, upstream) => sum + upstream.weight, 0);
  const keep = Float64Array.from(upstreams, (upstream) => upstream.weight * count / total);
  const alias = Uint32Array.from(upstreams, (_, index) => index);
  const small: number[] = [];
  const large: number[] = [];
  keep.forEach((share, index) => (share < 1 ? small : large).push(index));
  while (small.length > 0 && large.length > 0) {
    const poor = small.pop() as number;
    const rich = large[large.length - 1];
    alias[poor] = rich;
    keep[rich] -= 1 - keep[poor];
    if (keep[rich] < 1) small.push(large.pop() as number);
  }
  // What is left on either side differs from a whole column by rounding alone.
  for (const index of small) keep[index] = 1;
  for (const index of large) keep[index] = 1;
  return { keep, alias };
}
