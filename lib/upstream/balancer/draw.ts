/**
 * Random draws over the upstreams that may be picked now. Policies try a cheap guess first and come here when it fails:
 * a draw looks at every upstream once, so it always finds one if there is one, and it keeps the proportions exact.
 *
 * @module
 */

import type { Candidate } from "./policy.ts";

/**
 * How often a policy guesses at random before it looks at every upstream. A guess that is thrown away leaves the
 * proportions of the others as they are. With half of a pool gone, 8 guesses fail once in 256 picks.
 */
export const GUESSES = 8;

/** Whether `candidate` may be picked: available, and not among those that the exchange has already tried. */
export function eligible<C extends Candidate>(candidate: C, avoid: readonly C[] | undefined): boolean {
  return candidate.available && (avoid === undefined || !avoid.includes(candidate));
}

/**
 * One of the eligible upstreams, each with the same chance; undefined when there is none.
 *
 * One pass (reservoir sampling): the k-th eligible upstream takes the place of the one held with a chance of 1/k.
 * Availability is read once for each upstream, so a change during the pass does no harm.
 *
 * @param upstreams All upstreams of the pool.
 * @param random Uniform random numbers in [0, 1).
 * @param avoid Upstreams that are never drawn.
 * @param taken One more that is never drawn, so that a caller that draws two needs no longer `avoid`.
 */
export function drawEvenly<C extends Candidate>(
  upstreams: readonly C[],
  random: () => number,
  avoid?: readonly C[],
  taken?: C,
): C | undefined {
  let drawn: C | undefined;
  let seen = 0;
  for (let i = 0; i < upstreams.length; i++) {
    const candidate = upstreams[i];
    if (candidate === taken || !eligible(candidate, avoid)) continue;
    seen++;
    if (seen === 1 || random() * seen < 1) drawn = candidate;
  }
  return drawn;
}

/**
 * One of the eligible upstreams, each with a chance in proportion to its weight; undefined when there is none. One
 * pass, as in {@linkcode drawEvenly}.
 *
 * @param upstreams All upstreams of the pool.
 * @param random Uniform random numbers in [0, 1).
 * @param avoid Upstreams that are never drawn.
 */
export function drawByWeight<C extends Candidate>(
  upstreams: readonly C[],
  random: () => number,
  avoid?: readonly C[],
): C | undefined {
  let drawn: C | undefined;
  let total = 0;
  for (let i = 0; i < upstreams.length; i++) {
    const candidate = upstreams[i];
    if (!eligible(candidate, avoid)) continue;
    const weight = candidate.weight;
    total += weight;
    if (drawn === undefined || random() * total < weight) drawn = candidate;
  }
  return drawn;
}
