/**
 * Who issues the certificates of a config's sites, as text.
 *
 * @module
 */

import type { Config } from "../generation/config/config_types.ts";
import { isAutomatic, type IssuedName, issuedNames, tlsOf, usesFiles } from "../listener/tls/site_tls.ts";

/** A site with TLS, and where its certificates come from. */
export interface SiteCertificates {
  readonly site: string;
  /** Whether it has TLS by its port alone. */
  readonly automatic: boolean;
  /** Names whose certificates are issued; none where they are in files. */
  readonly names: readonly IssuedName[];
}

/** The sites of a config that have TLS. */
export function siteCertificates({ sites }: Config): SiteCertificates[] {
  return sites.filter((site) => tlsOf(site) !== undefined).map((site) => ({
    ...{ site: site.name, automatic: isAutomatic(site), names: issuedNames(site) },
  }));
}

/** A line for each site with TLS: `site "www": certificate by ACME for example.com, …`. */
export function certificateLines(config: Config): string[] {
  return siteCertificates(config).map(({ site, automatic, names }) => {
    const why = automatic ? " (HTTPS by its host name on port 443)" : "";
    return `site ${JSON.stringify(site)}: ${sourceOf(config, site, names)}${why}`;
  });
}

function sourceOf({ sites }: Config, name: string, names: readonly IssuedName[]): string {
  const site = sites.find((one) => one.name === name);
  const tls = site && tlsOf(site);
  if (tls !== undefined && usesFiles(tls)) return "certificate from files";
  const parts = (["acme", "internal"] as const).flatMap((issuer) => {
    const own = names.filter((one) => one.issuer === issuer).map((one) => one.name);
    const by = issuer === "acme" ? "by ACME" : "of the local authority";
    return own.length === 0 ? [] : `certificate ${by} for ${listed(own)}`;
  });
  if (tls?.on_demand) parts.push("certificates on demand");
  return parts.length === 0 ? "no certificate" : parts.join(", ");
}

function listed(names: readonly string[]): string {
  return names.length <= MOST_NAMES
    ? names.join(", ")
    : `${names.slice(0, MOST_NAMES).join(", ")} and ${names.length - MOST_NAMES} more`;
}

const MOST_NAMES = 5;
