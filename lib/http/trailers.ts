/**
 * Trailer fields that a proxy passes on (RFC 9110, section 6.5).
 *
 * @module
 */

import { HOP_BY_HOP } from "./hop_by_hop.ts";
import type { HeaderLines } from "./message.ts";

/**
 * Trailer lines without the fields that must not be sent as trailers: those of framing, routing, request modifiers,
 * authentication, and of the connection (RFC 9110, section 6.5.1). A recipient that merged them into the header section
 * would otherwise act on values that nobody has checked.
 *
 * @returns undefined when none are left.
 */
export function sentTrailers(lines: readonly string[]): HeaderLines | undefined {
  const sent: HeaderLines = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i].toLowerCase();
    if (HOP_BY_HOP.has(name) || FORBIDDEN.has(name) || name.startsWith("x-forwarded-")) continue;
    sent.push(lines[i], lines[i + 1]);
  }
  return sent.length === 0 ? undefined : sent;
}

const FORBIDDEN: ReadonlySet<string> = new Set([
  // Framing and routing.
  ...["content-length", "host", "forwarded", "via", "max-forwards", "x-real-ip", "x-request-id"],
  // How content is to be processed.
  ...["content-encoding", "content-type", "content-range", "content-location", "content-language"],
  // Request modifiers and response control data.
  ...["expect", "range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"],
  ...["cache-control", "pragma", "expires", "date", "age", "location", "retry-after", "vary", "warning"],
  // Authentication and cookies.
  ...["authorization", "www-authenticate", "authentication-info", "cookie", "set-cookie"],
]);
