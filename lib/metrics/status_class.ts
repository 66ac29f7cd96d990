/**
 * Classes of status, for counters that have one field for each class.
 *
 * @module
 */

/** The classes, in the order of their fields. A status outside 100 to 599 is of class `other`. */
export const STATUS_CLASSES = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** Index of the class of `status` in {@linkcode STATUS_CLASSES}. */
export function statusClassIndex(status: number): number {
  return status >= 100 && status < 600 ? (status / 100) | 0 : 0;
}
