/**
 * The memory of metrics. Each worker writes its own fields only, with plain additions; a reader adds up the fields of
 * all workers. So counts are exact across workers without locks and without atomic additions. Whether fields are shared
 * with other workers depends only on how they are allotted, not on the code that counts.
 *
 * Another worker's field is read while it may be written. An aligned 8-byte load is never torn on a machine that Deno
 * runs on, so the value read is an earlier or a later one, never a mixture.
 *
 * @module
 */

/** The fields of one owner of metrics, such as a route. */
export interface MetricFields {
  /** This worker's fields: the only ones that it may write. */
  readonly own: Float64Array;
  /** The fields of every worker, `own` among them, each as long as `own`. */
  readonly all: readonly Float64Array[];
  /**
   * Memory that `own` is a part of, with the fields of other owners: who counts writes through this one view, since the views
   * of thousands of owners would not stay in the processor's caches.
   *
   * @default {own}
   */
  readonly memory?: Float64Array;
  /**
   * Where `own` begins in it.
   *
   * @default {0}
   */
  readonly at?: number;
}

/**
 * Allots `count` fields, zero at first. `name` is the same in every worker for the same owner, so that they share its
 * fields; the same name gives the same fields again, so counts survive a reload.
 */
export type TakeMetricFields = (count: number, name: string) => MetricFields;

/**
 * Fields of this worker alone.
 *
 * @throws {RangeError} From the returned function, when a name is taken again with another count.
 *
 * @example
 * ```ts
 * import { localMetricFields } from "./metric_fields.ts";
 *
 * const take = localMetricFields();
 * take(1, "bws_requests_total").own[0] += 1;
 * console.log(take(1, "bws_requests_total").own[0]); // 1
 * ```
 */
export function localMetricFields(): TakeMetricFields {
  const taken = new Map<string, MetricFields>();
  let memory = new Float64Array(0);
  let used = 0;
  return (count, name) => {
    const before = taken.get(name);
    if (before !== undefined) {
      if (before.own.length === count) return before;
      throw new RangeError(`Cannot take ${count} fields as "${name}": it was taken with ${before.own.length}`);
    }
    if (used + count > memory.length) {
      memory = new Float64Array(Math.max(count, Math.min(MOST_AT_ONCE, Math.max(FEWEST_AT_ONCE, 2 * memory.length))));
      used = 0;
    }
    const own = memory.subarray(used, used + count);
    const fields: MetricFields = { own, all: [own], memory, at: used };
    used += count;
    taken.set(name, fields);
    return fields;
  };
}

/** The sum of the field at `index` over all workers. */
export function sumAt(fields: MetricFields, index: number): number {
  let sum = 0;
  const { all } = fields;
  // By index, not by iterator: the first scrape runs before the code is optimized, and is a fifth faster this way.
  for (let worker = 0; worker < all.length; worker++) sum += all[worker][index];
  return sum;
}

/** Fields of one allocation. */
const FEWEST_AT_ONCE = 256;
const MOST_AT_ONCE = 128 * 1024;
