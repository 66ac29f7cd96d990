/**
 * Statuses in configs: one, a range, a class, or a list of these.
 *
 * @module
 */

import { z } from "zod";
import type { StatusRange } from "../../http/status_range.ts";
import { FAILURE_STATUSES } from "../condition/failure_class.ts";
import { integer, list, matching } from "../../config/fields.ts";

const STATUS = /^(?:[1-5]xx|[1-5]\d\d(?:-[1-5]\d\d)?)$/;
const EXPECTED = 'a status, a range or a class, such as 200, "200-399" or "2xx"';

/** Statuses; the result is a list of ranges. */
export function statusRanges() {
  return statuses((status) => [rangeOf(status)]);
}

/**
 * Statuses of failures; the result is a list of ranges. The class "5xx" means {@linkcode FAILURE_STATUSES}; a number
 * and a range are taken literally.
 */
export function failureStatuses() {
  return statuses((status) => status === "5xx" ? FAILURE_STATUSES : [rangeOf(status)]);
}

function statuses(rangesOf: (status: number | string) => readonly StatusRange[]) {
  const one = z.union([integer(100, 599, EXPECTED), matching(STATUS, EXPECTED)], { error: EXPECTED });
  return z.union([one, list(one)], { error: `${EXPECTED}, or a list of them` })
    .transform((given) => (Array.isArray(given) ? given : [given]).flatMap(rangesOf));
}

function rangeOf(status: number | string): StatusRange {
  if (typeof status === "number") return [status, status];
  if (status.endsWith("xx")) return [Number(status[0]) * 100, Number(status[0]) * 100 + 99];
  const [from, to = from] = status.split("-").map(Number);
  return [from, to];
}
