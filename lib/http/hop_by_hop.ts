/**
 * Fields that belong to one hop and end at the proxy (RFC 9110, section 7.6.1; RFC 9112, section 9.6).
 *
 * @module
 */

import { listMembers } from "./header_lines.ts";

/** Fields that are never forwarded, in either direction, in lower case. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The fields that the value of Connection names, in lower case, without the options `close`, `keep-alive` and
 * `upgrade`. Undefined if it names none, which is the usual case.
 */
export function connectionNamed(value: string): string[] | undefined {
  if (value === "keep-alive" || value === "close" || value === "Keep-Alive" || value === "upgrade") return undefined;
  const named = listMembers(value).filter((name) => name !== "close" && name !== "keep-alive" && name !== "upgrade");
  return named.length === 0 ? undefined : named;
}
