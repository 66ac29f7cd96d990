/**
 * How many observations fell into which bucket. The count is not kept but added up from the buckets, so that the two
 * agree in every reading, also when another worker is writing meanwhile; the sum may be one observation ahead or behind.
 *
 * @module
 */

import { checkSlots, type Numbers, sumAt } from "./numbers.ts";

/** Upper bounds in seconds, from a file out of memory to a long poll. */
export const DURATION_BOUNDS: readonly number[] = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
  ...[0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
];

/** What a histogram held at one moment. */
export interface HistogramReading {
  /** Upper bounds of the buckets, inclusive, ascending; one more bucket, the last, has none. */
  readonly bounds: readonly number[];
  /** Observations in each bucket, not cumulative: one more than there are bounds. */
  readonly counts: readonly number[];
  /** Sum of what was observed. */
  readonly sum: number;
}

/** Slots that a histogram with these bounds needs. */
export function histogramSlots(bounds: readonly number[] = DURATION_BOUNDS): number {
  // The bucket without a bound, and the sum.
  return bounds.length + 2;
}

/** A histogram with fixed bounds; its counts outlive it, in the slots. */
export class Histogram {
  /** Upper bounds of the buckets, inclusive, ascending. */
  readonly bounds: readonly number[];
  readonly #numbers: Numbers;
  readonly #own: Float64Array;
  readonly #bounds: Float64Array;
  readonly #at: number;
  readonly #sumAt: number;

  /**
   * @param bounds Ascending. Whoever lets them change between generations puts them into the name of the slots.
   * @param at Index of the first slot, for several metrics that are taken together.
   * @throws {RangeError} When the slots do not exist, or the bounds are not finite and ascending.
   */
  constructor(numbers: Numbers, bounds: readonly number[] = DURATION_BOUNDS, at = 0) {
    checkSlots(numbers, at, histogramSlots(bounds));
    checkBounds(bounds);
    this.bounds = bounds;
    this.#numbers = numbers;
    this.#own = numbers.own;
    this.#bounds = Float64Array.from(bounds);
    this.#at = at;
    this.#sumAt = at + bounds.length + 1;
  }

  /** Counts one observation. What is not above zero counts as zero. */
  observe(value: number): void {
    const observed = value > 0 ? value : 0;
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bounds[middle] < observed) low = middle + 1;
      else high = middle;
    }
    this.#own[this.#at + low] += 1;
    this.#own[this.#sumAt] += observed;
  }

  /** What all workers have observed. */
  read(): HistogramReading {
    const counts: number[] = [];
    for (let index = 0; index <= this.bounds.length; index++) counts.push(sumAt(this.#numbers, this.#at + index));
    return { bounds: this.bounds, counts, sum: sumAt(this.#numbers, this.#sumAt) };
  }
}

function checkBounds(bounds: readonly number[]): void {
  for (const [index, bound] of bounds.entries()) {
    if (Number.isFinite(bound) && (index === 0 || bound > bounds[index - 1])) continue;
    throw new RangeError(`Cannot make a histogram: bound ${index} is ${bound}, expected finite and ascending bounds`);
  }
}
