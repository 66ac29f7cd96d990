/**
 * What is counted of one pool.
 *
 * @module
 */

import { type Numbers, sumAt, type TakeNumbers } from "../../metrics/numbers.ts";
import type { PoolMeter } from "../../upstream/pool.ts";

/** The figures of one pool. Owned by the book; outlives generations. */
export class PoolMetrics implements PoolMeter {
  readonly #numbers: Numbers;

  /** Takes its slot. */
  constructor(take: TakeNumbers, name: string) {
    this.#numbers = take(1, `pool ${name}`);
  }

  /** One more waits for room, or one less. */
  waits(by: 1 | -1): void {
    this.#numbers.own[0] += by;
  }

  /** Exchanges that wait for room. */
  get waiting(): number {
    return sumAt(this.#numbers, 0);
  }

  /** Takes back those that waited in a worker that is gone. */
  takeBack(worker: number): void {
    this.#numbers.all[worker][0] = 0;
  }
}
