/**
 * Max-Forwards (RFC 9110, section 7.6.2), by which TRACE and OPTIONS find out who stands in the way to a server.
 *
 * @module
 */

import { headerValue, setHeader } from "./header_lines.ts";
import type { HeaderLines } from "./message.ts";

/** Whether the field has a meaning for `method`. */
export function isCounted(method: string): boolean {
  return method === "OPTIONS" || method === "TRACE";
}

/** Counts one hop off, in place. False when there was none left: the request must go no further. */
export function countHop(headers: HeaderLines): boolean {
  const value = headerValue(headers, "max-forwards");
  if (value === undefined || !/^\d{1,15}$/.test(value)) return true;
  if (Number(value) === 0) return false;
  setHeader(headers, "max-forwards", String(Number(value) - 1));
  return true;
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
