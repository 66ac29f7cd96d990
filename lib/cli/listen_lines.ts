/**
 * The addresses on which a config listens, as text.
 *
 * @module
 */

import type { Config, SiteConfig } from "../generation/config/config_types.ts";
import { allSitesOf } from "../generation/config/http_sites.ts";
import { tlsOf } from "../listener/tls/site_tls.ts";

/** An address and its sites. */
export interface ListenLine {
  /** URL to open in a browser. */
  readonly url: string;
  /** Names of the sites that listen there. */
  readonly sites: readonly string[];
}

/**
 * The addresses of a config, in the order in which a generation opens them.
 *
 * @param ports Numbers of the open ports, in the same order; without them, those of the config.
 */
export function listenLines(config: Config, ports: readonly number[] = []): ListenLine[] {
  const groups = Map.groupBy(allSitesOf(config), listenerKey);
  return [...groups.values()].map((sites, index) => ({
    url: urlOf(sites[0].listen, ports[index] ?? sites[0].port, tlsOf(sites[0]) === undefined ? "http" : "https"),
    sites: sites.map((site) => site.name),
  }));
}

/** URL of the management API, as in {@linkcode ListenLine}; undefined where it is not enabled. */
export function managementUrl({ management: { enabled, host, port } }: Config): string | undefined {
  return enabled ? urlOf(host, port) : undefined;
}

/** The end of the line `bws 0.1.0 listening on …`: the first sites of an address, and the number of the others. */
export function siteList(sites: readonly string[]): string {
  const shown = sites.slice(0, MOST_NAMES).join(", ");
  const rest = sites.length - MOST_NAMES;
  return `${counted(sites.length, "site")}: ${shown}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** "1 site", "2 sites". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

const MOST_NAMES = 5;

// As in the generation: sites on port 0 each have a port of their own.
function listenerKey(site: SiteConfig): string {
  return `${site.listen ?? ""} ${site.port === 0 ? site.name : site.port}`;
}

function urlOf(address: string | undefined, port: number, scheme = "http"): string {
  const everywhere = address === undefined || address === "0.0.0.0" || address === "::";
  const host = everywhere ? "localhost" : address.includes(":") ? `[${address}]` : address;
  return `${scheme}://${host}:${port === 0 ? "(any free port)" : port}`;
}
