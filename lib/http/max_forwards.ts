/**
 * The Max-Forwards header field (RFC 9110, section 7.6.2), which limits how often a TRACE or OPTIONS request is
 * forwarded.
 *
 * @module
 */

import { headerValue } from "./header_lines.ts";
import type { RequestHead } from "./message.ts";

/** Whether Max-Forwards applies to `method`. */
export function countsHops(method: string): boolean {
  return method === "OPTIONS" || method === "TRACE";
}

/** Whether the request must not be forwarded. */
export function noHopLeft({ method, headers }: RequestHead): boolean {
  if (!countsHops(method)) return false;
  const value = headerValue(headers, "max-forwards");
  return value !== undefined && COUNT.test(value) && Number(value) === 0;
}

/** The value for the next hop: one less, or unchanged if it is not a number. */
export function oneHopLess(value: string): string {
  return COUNT.test(value) ? String(Math.max(0, Number(value) - 1)) : value;
}

/**
 * The value of Allow for an OPTIONS request that is not forwarded.
 *
 * @param methods Methods that the route accepts; undefined for all.
 */
export function allowed(methods: readonly string[] | undefined): string {
  return (methods ?? COMMON_METHODS).filter((method) => method !== "TRACE").join(", ");
}

const COMMON_METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const COUNT = /^\d{1,15}$/;
