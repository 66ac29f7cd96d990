/**
 * Which 5xx statuses tell of the upstream's own condition.
 *
 * @module
 */

/**
 * The 5xx statuses that are failures of the upstream, as ranges. Not among them are those that the request alone causes: 501
 * (Not Implemented: an unknown method), 505 (HTTP Version Not Supported), 508 (Loop Detected) and 510 (Not Extended). If
 * they counted, any client could make a healthy upstream unavailable.
 */
export const FAILURE_STATUSES: readonly (readonly [from: number, to: number])[] = [
  [500, 500],
  [502, 504],
  [506, 507],
  [509, 509],
  [511, 599],
];

/** Whether `status` is within one of `ranges`, both ends included. */
export function within(status: number, ranges: readonly (readonly [from: number, to: number])[]): boolean {
  for (const [from, to] of ranges) if (status >= from && status <= to) return true;
  return false;
}
