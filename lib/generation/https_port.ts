/**
 * The port on which the hosts of a site are reached by https.
 *
 * @module
 */

import { hostsOf, HTTPS_PORT, tlsOf, type TlsSite } from "../listener/tls/site_tls.ts";

/**
 * The port of the first site with TLS that serves a host of `site`; 443 where none does, as where TLS ends in front of this
 * server.
 */
export function httpsPortOf(site: TlsSite, sites: readonly TlsSite[]): number {
  const found = sites.find((other) => other.port !== 0 && tlsOf(other) !== undefined && shareHost(site, other));
  return found?.port ?? HTTPS_PORT;
}

function shareHost(one: TlsSite, other: TlsSite): boolean {
  const [hosts, others] = [hostsOf(one), hostsOf(other)];
  if (hosts.length === 0 || others.length === 0) return true;
  return hosts.some((host) => others.some((pattern) => serves(pattern, host) || serves(host, pattern)));
}

function serves(pattern: string, host: string): boolean {
  return pattern === "*" || pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)));
}
