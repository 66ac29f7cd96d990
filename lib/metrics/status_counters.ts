/**
 * Counts of answers by class of status.
 *
 * @module
 */

import { checkSlots, type Numbers, sumAt } from "./numbers.ts";

/** The classes, in the order of {@linkcode StatusCounters.counts}. A status outside 100 to 599 is of class `other`. */
export const STATUS_CLASSES = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** One counter for each class of status. */
export class StatusCounters {
  /** Slots that they need. */
  static readonly SLOTS: number = STATUS_CLASSES.length;
  readonly #numbers: Numbers;
  readonly #own: Float64Array;
  readonly #at: number;

  /**
   * @param at Index of the first slot, for several metrics that are taken together.
   * @throws {RangeError} When the slots do not exist.
   */
  constructor(numbers: Numbers, at = 0) {
    checkSlots(numbers, at, StatusCounters.SLOTS);
    this.#numbers = numbers;
    this.#own = numbers.own;
    this.#at = at;
  }

  /** Counts one answer. */
  add(status: number): void {
    const index = status >= 100 && status < 600 ? (status / 100) | 0 : 0;
    this.#own[this.#at + index] += 1;
  }

  /** The counts of all workers, in the order of {@linkcode STATUS_CLASSES}. */
  counts(): number[] {
    return STATUS_CLASSES.map((_, index) => sumAt(this.#numbers, this.#at + index));
  }
}
