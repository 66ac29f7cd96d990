/**
 * The memory that metrics are counted in. Each worker writes its own fields only, with plain additions; whoever reads adds
 * up the fields of all workers. So counts are exact across workers without locks and without atomic additions. Who makes the
 * fields decides whether other workers see them; who counts in them cannot tell.
 *
 * Another worker's field is read while it may be written. An aligned 8-byte load is whole on every machine that Deno runs on,
 * so what is read is an earlier or a later value, never a mixture.
 *
 * @module
 */

/** The fields of the metrics of one thing, such as a route. */
export interface MetricFields {
  /** This worker's fields: the only ones that it may write. */
  readonly own: Float64Array;
  /** The fields of every worker, `own` among them, each as long as `own`. */
  readonly all: readonly Float64Array[];
}

/**
 * Allots `count` fields, zero when they are taken for the first time. `name` is a key that every worker gives for the same
 * thing, so that they share its fields; the same name gives the same fields again, so counts outlive a reload.
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
  return (count, name) => {
    const before = taken.get(name);
    if (before !== undefined) {
      if (before.own.length === count) return before;
      throw new RangeError(`Cannot take ${count} fields as "${name}": it was taken with ${before.own.length}`);
    }
    const own = new Float64Array(count);
    const fields: MetricFields = { own, all: [own] };
    taken.set(name, fields);
    return fields;
  };
}

/** The sum of the field at `index` over all workers. */
export function sumAt(fields: MetricFields, index: number): number {
  let sum = 0;
  const { all } = fields;
  // By index, not by iterator: a first scrape runs before anything is compiled, and takes a fifth less so.
  for (let worker = 0; worker < all.length; worker++) sum += all[worker][index];
  return sum;
}
