/**
 * The host names that a site may have.
 *
 * @module
 */

import type { Fault } from "./fields.ts";
import { isIpv4, isIpv6 } from "../http/ip_address.ts";

const LABEL = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;
const EXPECTED =
  'a host name without scheme, port and path: "example.com", "*.example.com", "192.0.2.1", "[::1]" or "*"';

/**
 * What is wrong with a site's host name: it must be exact, `*.` and an exact name, an IPv4 address, an IPv6 address in
 * brackets, or `*` for any host.
 */
export function hostPatternFault(host: string): Fault | undefined {
  if (isHostPattern(host)) return undefined;
  const bare = host.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*$/s, "");
  const withoutPort = isIpv6(bare) ? `[${bare}]` : bare.replace(/:\d*$/, "");
  return { expected: EXPECTED, suggestion: isHostPattern(withoutPort) ? withoutPort : undefined };
}

/** Whether `host` is an exact name, an IPv4 address, or an IPv6 address in brackets. */
export function isHostName(host: string): boolean {
  if (host.startsWith("[") && host.endsWith("]")) return isIpv6(host.slice(1, -1));
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  if (name.length > 253) return false;
  const labels = name.split(".");
  if (!labels.every((label) => LABEL.test(label))) return false;
  // What ends in a number is read as an IPv4 address by every URL parser
  return !/^\d+$/.test(labels[labels.length - 1]) || isIpv4(name);
}

function isHostPattern(host: string): boolean {
  if (host === "*") return true;
  if (!host.startsWith("*.")) return isHostName(host);
  return !host.startsWith("*.[") && !isIpv4(host.slice(2)) && isHostName(host.slice(2));
}

/** The form in which host names are compared and given out: lower case, without a trailing dot. */
export function normalHost(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}
