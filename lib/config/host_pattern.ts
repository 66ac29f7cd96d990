/**
 * The host names of sites.
 *
 * @module
 */

import type { Fault } from "./fields.ts";
import { isIpv4, isIpv6 } from "../http/ip_address.ts";

const LABEL = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;
const EXPECTED =
  'a host name without scheme, port and path: "example.com", "bücher.example", "*.example.com", "192.0.2.1", "[::1]" or "*"';

/**
 * What is wrong with a site's host name, which may be written in any script: it must be an exact name, `*.` and an exact
 * name, an IPv4 address, an IPv6 address in brackets, or `*` for any host.
 */
export function hostPatternFault(host: string): Fault | undefined {
  if (isHostPattern(host)) return undefined;
  const bare = host.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*$/s, "");
  const withoutPort = isIpv6(bare) ? `[${bare}]` : bare.replace(/:\d*$/, "");
  return { expected: EXPECTED, suggestion: isHostPattern(withoutPort) ? withoutPort : undefined };
}

/**
 * A host name in the form of requests: labels that are not ASCII become `xn--…` (RFC 5891), by the URL parser of the runtime.
 * An ASCII name is returned unchanged. Undefined if the text is not a host name.
 *
 * @example
 * ```ts
 * import { asciiHost } from "./host_pattern.ts";
 *
 * if (asciiHost("b\u00fccher.example") !== "xn--bcher-kva.example") throw new Error("expected punycode");
 * ```
 */
export function asciiHost(host: string): string | undefined {
  let ascii = true;
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i);
    if (code >= 0x80) ascii = false;
    // In a URL these would end the host, or begin an escape.
    else if (ENDS_HOST.includes(host[i]) || code <= 0x20) return host;
  }
  if (ascii) return host;
  const url = URL.parse(`http://${host}`);
  // Digits of other scripts would become an IPv4 address.
  return url === null || isIpv4(url.hostname) ? undefined : url.hostname;
}

const ENDS_HOST = "/?#@:\\%[]";

/** Whether `host` is an exact name, an IPv4 address, or an IPv6 address in brackets. */
export function isHostName(host: string): boolean {
  if (host.startsWith("[") && host.endsWith("]")) return isIpv6(host.slice(1, -1));
  const ascii = asciiHost(host);
  if (ascii === undefined) return false;
  const name = ascii.endsWith(".") ? ascii.slice(0, -1) : ascii;
  if (name.length > 253) return false;
  const labels = name.split(".");
  if (!labels.every((label) => LABEL.test(label))) return false;
  // A host whose last label is a number is an IPv4 address for every URL parser.
  return !/^\d+$/.test(labels[labels.length - 1]) || isIpv4(name);
}

function isHostPattern(host: string): boolean {
  if (host === "*") return true;
  if (!host.startsWith("*.")) return isHostName(host);
  return !host.startsWith("*.[") && !isIpv4(host.slice(2)) && isHostName(host.slice(2));
}

/** The form in which host names are compared: ASCII, lower case, without a trailing dot. */
export function normalHost(host: string): string {
  const wildcard = host.startsWith("*.") ? "*." : "";
  const lower = wildcard + (asciiHost(host.slice(wildcard.length)) ?? host.slice(wildcard.length)).toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}
