/**
 * Statuses as ranges.
 *
 * @module
 */

/** Statuses from the first to the second, both included. */
export type StatusRange = readonly [from: number, to: number];

/** Whether `status` is within one of `ranges`. */
export function within(status: number, ranges: readonly StatusRange[]): boolean {
  // By index: each response is looked at, and an iterator for each range would cost more than the comparisons.
  for (let i = 0; i < ranges.length; i++) {
    const range = ranges[i];
    if (status >= range[0] && status <= range[1]) return true;
  }
  return false;
}
