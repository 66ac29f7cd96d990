/**
 * What `tls` of a site means together with its port and its host names: whether it speaks TLS, and who issues its
 * certificates.
 *
 * @module
 */

import { isIpAddress } from "../../http/ip_address.ts";
import { bareAddress } from "./certificate_names.ts";
import { type SiteTls, tlsSchema, type TlsTable } from "./tls_schema.ts";

/** The port on which a site with a host name speaks TLS without further keys. */
export const HTTPS_PORT = 443;

/** Who issues a certificate that is not in a file: an authority by ACME, or the local authority. */
export type Issuer = "acme" | "internal";

/** The keys of a site on which its TLS depends. */
export interface TlsSite {
  readonly port: number;
  readonly hostname?: string | undefined;
  readonly hostnames: readonly string[];
  readonly tls?: SiteTls | undefined;
}

/** A name for which a certificate is to be obtained. */
export interface IssuedName {
  /** In lower case; `*.` in front of wildcards; an IPv6 address without brackets. */
  readonly name: string;
  readonly issuer: Issuer;
}

const AUTOMATIC = tlsSchema.parse("auto") as TlsTable;

/** How a site speaks TLS; undefined where it is served in cleartext. */
export function tlsOf(site: TlsSite): TlsTable | undefined {
  if (site.tls !== undefined) return site.tls === "off" ? undefined : site.tls;
  return isAutomatic(site) ? AUTOMATIC : undefined;
}

/** Whether a site speaks TLS though it has no `tls`, by its port and its names. */
export function isAutomatic(site: TlsSite): boolean {
  return site.tls === undefined && site.port === HTTPS_PORT && hostsOf(site).length > 0;
}

/** The host names of a site, as in the config. */
export function hostsOf({ hostname, hostnames }: Pick<TlsSite, "hostname" | "hostnames">): readonly string[] {
  return hostname === undefined ? hostnames : [hostname, ...hostnames];
}

/** Whether the certificates of a site are in files. */
export function usesFiles({ cert_file, certificates }: TlsTable): boolean {
  return cert_file !== undefined || certificates.length > 0;
}

/** The names of a site for which certificates are to be obtained, each once; none where its certificates are in files. */
export function issuedNames(site: TlsSite): IssuedName[] {
  const tls = tlsOf(site);
  if (tls === undefined || usesFiles(tls)) return [];
  const names = new Set([...hostsOf(site), ...tls.names].map(bareAddress));
  return [...names].filter((name) => name !== "*").map((name) => ({ name, issuer: tls.issuer ?? issuerFor(name) }));
}

/** Who issues the certificate of a name where the config does not say. */
export function issuerFor(name: string): Issuer {
  return isPublicName(name) ? "acme" : "internal";
}

/**
 * Whether public authorities issue certificates for a name: it has several labels, and its last one is not reserved
 * (RFC 2606, RFC 6762, RFC 7686, RFC 8375, RFC 9476, and `internal`) or used in local networks only.
 */
export function isPublicName(name: string): boolean {
  const host = name.startsWith("*.") ? name.slice(2) : name;
  if (isIpAddress(bareAddress(host)) || host.endsWith(".home.arpa")) return false;
  const dot = host.lastIndexOf(".");
  return dot > 0 && !LOCAL_LABELS.has(host.slice(dot + 1));
}

const LOCAL_LABELS: ReadonlySet<string> = new Set([
  ...["localhost", "test", "invalid", "example", "local", "internal", "onion", "alt"],
  ...["lan", "home", "corp", "intranet", "private", "localdomain"],
]);
