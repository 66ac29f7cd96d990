/**
 * Statuses as configs write them: one, a range, a class, or a list of these.
 *
 * @module
 */

import { z } from "zod";
import { integer, list, matching } from "./fields.ts";

const STATUS = /^(?:[1-5]xx|[1-5]\d\d(?:-[1-5]\d\d)?)$/;
const EXPECTED = 'a status, a range or a class, such as 200, "200-399" or "2xx"';

/** Statuses from the first to the second, both included. */
export type StatusRange = readonly [from: number, to: number];

/** Statuses; come out as ranges. */
export function statusRanges() {
  const one = z.union([integer(100, 599, EXPECTED), matching(STATUS, EXPECTED)], { error: EXPECTED });
  return z.union([one, list(one)], { error: `${EXPECTED}, or a list of them` })
    .transform((given) => (Array.isArray(given) ? given : [given]).map(statusRange));
}

function statusRange(status: number | string): StatusRange {
  if (typeof status === "number") return [status, status];
  if (status.endsWith("xx")) return [Number(status[0]) * 100, Number(status[0]) * 100 + 99];
  const [from, to = from] = status.split("-").map(Number);
  return [from, to];
}
