/**
 * What an answer to a probe says of its upstream.
 *
 * @module
 */

import type { HealthCheck, StatusRange } from "./health_check.ts";

/** What is wrong with the status of an answer; undefined when nothing is. */
export function statusFault(status: number, { expectStatus = ANY_SUCCESS }: HealthCheck): string | undefined {
  if (expectStatus.some(([from, to]) => status >= from && status <= to)) return undefined;
  return `answered ${status}, expected ${expectStatus.map(rangeText).join(" or ")}`;
}

const ANY_SUCCESS: readonly StatusRange[] = [[200, 399]];

function rangeText([from, to]: StatusRange): string {
  return from === to ? `${from}` : `${from} to ${to}`;
}
