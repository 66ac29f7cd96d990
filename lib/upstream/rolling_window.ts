/**
 * Counts of the last seconds, in buckets, in cells that workers share. A worker that is late by a whole turn of the window
 * may clear a bucket that another has just begun: a few counts are lost then, never invented.
 *
 * @module
 */

import { BUCKET_CELLS, WINDOW, WINDOW_BUCKETS } from "./upstream_cells.ts";

const TURN = 0;
const TOTAL = 1;
const FAILED = 2;
const SLOW = 3;

/** What was counted. */
export interface WindowCounts {
  /** Attempts. */
  total: number;
  /** Of these, failed ones. */
  failed: number;
  /** Of these, slow ones. */
  slow: number;
}

/** A rolling window over one upstream's attempts. */
export class RollingWindow {
  readonly #cells: Int32Array;
  readonly #bucketMs: number;

  /** @param windowMs Its length, in milliseconds. */
  constructor(cells: Int32Array, windowMs: number) {
    this.#cells = cells;
    this.#bucketMs = Math.max(1, windowMs / WINDOW_BUCKETS);
  }

  /** Counts an attempt. */
  count(nowMs: number, failed: boolean, slow: boolean): void {
    const cells = this.#cells;
    const turn = this.#turn(nowMs);
    const at = WINDOW + (turn % WINDOW_BUCKETS) * BUCKET_CELLS;
    const seen = Atomics.load(cells, at + TURN);
    // Of a turn the cell holds the last 32 bits.
    if (seen !== (turn | 0) && Atomics.compareExchange(cells, at + TURN, seen, turn | 0) === seen) {
      for (const cell of [TOTAL, FAILED, SLOW]) Atomics.store(cells, at + cell, 0);
    }
    Atomics.add(cells, at + TOTAL, 1);
    if (failed) Atomics.add(cells, at + FAILED, 1);
    if (slow) Atomics.add(cells, at + SLOW, 1);
  }

  /** What the window holds. */
  counts(nowMs: number): WindowCounts {
    const cells = this.#cells;
    const turn = this.#turn(nowMs);
    const sum = { total: 0, failed: 0, slow: 0 };
    for (let bucket = 0; bucket < WINDOW_BUCKETS; bucket++) {
      const at = WINDOW + bucket * BUCKET_CELLS;
      const age = (turn - Atomics.load(cells, at + TURN)) | 0;
      if (age < 0 || age >= WINDOW_BUCKETS) continue;
      sum.total += Atomics.load(cells, at + TOTAL);
      sum.failed += Atomics.load(cells, at + FAILED);
      sum.slow += Atomics.load(cells, at + SLOW);
    }
    return sum;
  }

  /** Forgets everything. */
  clear(): void {
    for (let cell = WINDOW; cell < WINDOW + WINDOW_BUCKETS * BUCKET_CELLS; cell++) Atomics.store(this.#cells, cell, 0);
  }

  // Not 0 at the beginning, which is what fresh cells hold.
  #turn(nowMs: number): number {
    return Math.floor(nowMs / this.#bucketMs) + 1;
  }
}
