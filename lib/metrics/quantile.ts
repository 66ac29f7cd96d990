/**
 * Quantiles of histograms, such as p50, p95 and p99 of a recent interval, which is the difference of two snapshots.
 *
 * @module
 */

/**
 * Estimates a quantile, assuming an even spread within a bucket. For one in the last bucket, which has no bound, the
 * result is the highest bound: the value was at least that.
 *
 * @param bounds Upper bounds of the buckets, ascending.
 * @param counts Observations in each bucket, not cumulative, one more than there are bounds.
 * @param q From 0 to 1.
 * @returns In the unit of the bounds; undefined when nothing was observed.
 *
 * @example
 * ```ts
 * import { quantile } from "./quantile.ts";
 *
 * console.log(quantile([0.1, 0.2], [0, 10, 0], 0.5)); // about 0.15
 * ```
 */
export function quantile(bounds: readonly number[], counts: readonly number[], q: number): number | undefined {
  let total = 0;
  for (const count of counts) total += count;
  if (!(total > 0)) return undefined;
  const rank = Math.min(Math.max(q, 0), 1) * total;
  let below = 0;
  for (let index = 0; index < bounds.length; index++) {
    const count = counts[index];
    if (count > 0 && below + count >= rank) {
      const lower = index === 0 ? Math.min(0, bounds[0]) : bounds[index - 1];
      return lower + (bounds[index] - lower) * (rank - below) / count;
    }
    below += count;
  }
  return bounds.at(-1);
}

/**
 * The counts between two snapshots of one histogram. A count that went down (its fields were reset) counts from zero.
 *
 * @param before Counts of the earlier snapshot; none yet when it is undefined.
 */
export function countsSince(now: readonly number[], before?: readonly number[]): number[] {
  return now.map((count, index) => {
    const earlier = before?.[index] ?? 0;
    return count >= earlier ? count - earlier : count;
  });
}
