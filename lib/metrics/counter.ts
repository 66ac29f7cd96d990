/**
 * A number that only grows.
 *
 * @module
 */

import { checkSlots, type Numbers, sumAt } from "./numbers.ts";

/** Counts in one slot; its count outlives it, in the slots. */
export class Counter {
  /** Slots that one counter needs. */
  static readonly SLOTS = 1;
  readonly #numbers: Numbers;
  readonly #own: Float64Array;
  readonly #at: number;

  /**
   * @param at Index of its slot, for several metrics that are taken together.
   * @throws {RangeError} When there is no such slot.
   */
  constructor(numbers: Numbers, at = 0) {
    checkSlots(numbers, at, Counter.SLOTS);
    this.#numbers = numbers;
    this.#own = numbers.own;
    this.#at = at;
  }

  /** Counts `amount` more. What is not above zero is ignored: NaN would never leave the sum again. */
  add(amount = 1): void {
    if (amount > 0) this.#own[this.#at] += amount;
  }

  /** The count of all workers. */
  get value(): number {
    return sumAt(this.#numbers, this.#at);
  }
}
