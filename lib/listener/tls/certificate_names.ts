/**
 * The names of a certificate (RFC 6125, RFC 9525), and which hosts they cover.
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";
import { isIpAddress, normalAddress } from "../../http/ip_address.ts";

/** The DNS names and IP addresses of a certificate, in lower case; the common name is none, as in all clients. */
export function certificateNames({ subjectAltName = "" }: Pick<X509Certificate, "subjectAltName">): string[] {
  return (subjectAltName ?? "").split(", ").flatMap((entry) => {
    const colon = entry.indexOf(":");
    const [kind, value] = [entry.slice(0, colon), entry.slice(colon + 1)];
    if (kind === "DNS") return value.toLowerCase();
    return kind === "IP Address" && isIpAddress(value) ? bareAddress(value) : [];
  });
}

/**
 * Whether a host is covered by one of the names: a wildcard stands for one label (RFC 9525, section 6.3).
 *
 * @param host In lower case; an IPv6 address without brackets. A wildcard is covered by itself alone.
 */
export function coversHost(names: readonly string[], host: string): boolean {
  if (isIpAddress(host)) return names.includes(bareAddress(host));
  return names.includes(host) || (!host.startsWith("*.") && names.includes(wildcardOf(host)));
}

/** The wildcard that covers a host: `*.example.com` for `www.example.com`. */
export function wildcardOf(host: string): string {
  return `*${host.slice(Math.max(host.indexOf("."), 0))}`;
}

/** An address in canonical form, without brackets; other text as it is. */
export function bareAddress(text: string): string {
  const bare = text.startsWith("[") ? text.slice(1, -1) : text;
  return normalAddress(bare).replace(/^\[|\]$/g, "");
}
