/**
 * Slots that metrics are counted in. Each worker writes its own slots only, with plain additions; whoever reads adds up
 * the slots of all workers. So counts are exact across workers without locks and without atomic additions. Who makes
 * the slots decides whether other workers see them; who counts in them cannot tell.
 *
 * Another worker's slot is read while it may be written. An aligned 8-byte load is whole on every machine that Deno
 * runs on, so what is read is an earlier or a later value, never a mixture.
 *
 * @module
 */

/** The slots of one metric, or of several that are taken together. */
export interface Numbers {
  /** This worker's slots: the only ones that it may write. */
  readonly own: Float64Array;
  /** The slots of every worker, `own` among them, each as long as `own`. */
  readonly all: readonly Float64Array[];
}

/**
 * Hands out `count` slots, zero when they are taken for the first time. `name` is a key that every worker gives for the
 * same metric, so that they share it; the same name gives the same slots again, which is how counts outlive a reload.
 */
export type TakeNumbers = (count: number, name: string) => Numbers;

/**
 * Slots of this worker alone.
 *
 * @throws {RangeError} From the returned function, when a name is taken again with another count.
 *
 * @example
 * ```ts
 * import { localNumbers } from "./numbers.ts";
 *
 * const take = localNumbers();
 * take(1, "bws_requests_total").own[0] += 1;
 * console.log(take(1, "bws_requests_total").own[0]); // 1
 * ```
 */
export function localNumbers(): TakeNumbers {
  const taken = new Map<string, Numbers>();
  return (count, name) => {
    const before = taken.get(name);
    if (before !== undefined) {
      if (before.own.length === count) return before;
      throw new RangeError(`Cannot take ${count} slots as "${name}": it was taken with ${before.own.length}`);
    }
    const own = new Float64Array(count);
    const numbers: Numbers = { own, all: [own] };
    taken.set(name, numbers);
    return numbers;
  };
}

/** What all workers together have in the slot at `index`. */
export function sumAt(numbers: Numbers, index: number): number {
  let sum = 0;
  const { all } = numbers;
  // By index, not by iterator: a first scrape runs before anything is compiled, and takes a fifth less so.
  for (let worker = 0; worker < all.length; worker++) sum += all[worker][index];
  return sum;
}

/**
 * Checks once, at construction, that the slots from `at` on exist: a write past the end would be lost in silence.
 *
 * @throws {RangeError} When they do not.
 */
export function checkSlots(numbers: Numbers, at: number, count: number): void {
  const length = numbers.own.length;
  if (Number.isInteger(at) && at >= 0 && at + count <= length) return;
  throw new RangeError(`Cannot use ${count} slots from ${at} on: found ${length} slots in all`);
}
