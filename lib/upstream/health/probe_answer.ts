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

/** What is missing in the body of an answer; undefined when nothing is. */
export function bodyFault(body: string, expected: RegExp): string | undefined {
  // Unlike `test`, `search` keeps no place between two calls, whatever the flags.
  if (body.search(expected) >= 0) return undefined;
  const { source, flags } = expected;
  return flags === "" && !/[\\^$.*+?()[\]{}|]/.test(source)
    ? `the body does not hold "${source}"`
    : `the body does not match /${source}/${flags}`;
}

const ANY_SUCCESS: readonly StatusRange[] = [[200, 399]];

function rangeText([from, to]: StatusRange): string {
  return from === to ? `${from}` : `${from} to ${to}`;
}
