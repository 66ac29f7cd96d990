/**
 * Sites that no config writes: those on port 80 that redirect to sites with TLS, and where challenges of ACME are answered.
 *
 * @module
 */

import { FEATURES } from "../../features/features.ts";
import { hostsOf, issuedNames, tlsOf } from "../../listener/tls/site_tls.ts";
import type { Config, SiteConfig } from "./config_types.ts";
import { composeSite } from "./site_schema.ts";

/** All sites of a config: the written ones in their order, and behind them those of http. */
export function allSitesOf(config: Config): readonly SiteConfig[] {
  const added = httpSites(config);
  return added.length === 0 ? config.sites : [...config.sites, ...added];
}

/** The sites on `acme.http_port` that `config` means and does not write. */
export function httpSites({ sites, acme }: Config): SiteConfig[] {
  const port = acme.http_port;
  const present = sites.filter((site) => site.port === port);
  if (present.some((site) => tlsOf(site) !== undefined)) return [];
  const wanted = sites.flatMap((site) => {
    const purpose = purposeOf(site, acme.dns_command !== undefined);
    if (purpose === undefined) return [];
    const hosts = hostsOf(site).filter((host) => !present.some((other) => takes(other, host)));
    const open = hostsOf(site).length === 0 && present.length === 0;
    return hosts.length > 0 || open ? { site, hosts, redirects: purpose === "redirect" } : [];
  });
  // One listener: the system gives a port to all interfaces or to single ones.
  const listens = new Set((present.length > 0 ? present : wanted.map(({ site }) => site)).map(({ listen }) => listen));
  const shared = listens.size > 1 ? undefined : [...listens][0];
  return wanted.map(({ site, hosts, redirects }) => ({
    ...siteWith({ hostnames: hosts, port, redirect_to_https: redirects }),
    name: `${site.name} (http)`,
    ...(shared === undefined ? {} : { listen: shared }),
  }));
}

let schema: { parse(keys: object): unknown } | undefined;

// Made when a config needs it first: most do not.
function siteWith(keys: object): SiteConfig {
  schema ??= composeSite(FEATURES);
  return schema.parse(keys) as SiteConfig;
}

/** Why a site with TLS is also to be reached by http: to redirect, or for challenges alone. */
function purposeOf(site: SiteConfig, dns: boolean): "redirect" | "challenges" | undefined {
  const tls = tlsOf(site);
  if (tls === undefined) return undefined;
  const onDemand = tls.on_demand && tls.issuer !== "internal";
  const acme = onDemand || issuedNames(site).some(({ issuer }) => issuer === "acme");
  if (site.redirect_to_https ?? acme) return "redirect";
  return acme && !dns ? "challenges" : undefined;
}

/** Whether a written site serves a host, so that no other one is made for it. */
function takes(site: SiteConfig, host: string): boolean {
  const hosts = hostsOf(site);
  return hosts.length === 0 || hosts.includes("*") || hosts.includes(host) ||
    hosts.some((pattern) => pattern.startsWith("*.") && host.endsWith(pattern.slice(1)));
}
