/**
 * Statuses as ranges.
 *
 * @module
 */

/** Statuses from the first to the second, both included. */
export type StatusRange = readonly [from: number, to: number];

/** Whether `status` is within one of `ranges`. */
export function within(status: number, ranges: readonly StatusRange[]): boolean {
  for (const [from, to] of ranges) if (status >= from && status <= to) return true;
  return false;
}
