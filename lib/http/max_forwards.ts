/**
 * Max-Forwards (RFC 9110, section 7.6.2), by which TRACE and OPTIONS find out who stands in the way to a server.
 *
 * @module
 */

import { headerValue } from "./header_lines.ts";
import type { RequestHead } from "./message.ts";

/** Whether the field has a meaning for `method`. */
export function countsHops(method: string): boolean {
  return method === "OPTIONS" || method === "TRACE";
}

/** Whether no hop is left: the request must go no further. */
export function noHopLeft({ method, headers }: RequestHead): boolean {
  if (!countsHops(method)) return false;
  const value = headerValue(headers, "max-forwards");
  return value !== undefined && COUNT.test(value) && Number(value) === 0;
}

/** The value for the next hop: one less, or what is no number as it came. */
export function oneHopLess(value: string): string {
  return COUNT.test(value) ? String(Math.max(0, Number(value) - 1)) : value;
}

/**
 * The value of Allow of a server that answers OPTIONS for others.
 *
 * @param methods Those that a route lets through; undefined for all.
 */
export function allowed(methods: readonly string[] | undefined): string {
  return (methods ?? COMMON_METHODS).filter((method) => method !== "TRACE").join(", ");
}

const COMMON_METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const COUNT = /^\d{1,15}$/;
