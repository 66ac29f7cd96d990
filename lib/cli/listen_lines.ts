/**
 * Where a config listens, in words for people.
 *
 * @module
 */

import type { Config, SiteConfig } from "../generation/config/config_types.ts";

/** An address, and the sites behind it. */
export interface ListenLine {
  /** What to type into a browser. */
  readonly url: string;
  /** The sites that share it, by name. */
  readonly sites: readonly string[];
}

/**
 * The addresses of a config, in the order in which a generation opens them.
 *
 * @param ports Ports that were opened, in the same order; without them, those of the config.
 */
export function listenLines(config: Config, ports: readonly number[] = []): ListenLine[] {
  const groups = Map.groupBy(config.sites, listenerKey);
  return [...groups.values()].map((sites, index) => ({
    url: urlOf(sites[0].listen, ports[index] ?? sites[0].port),
    sites: sites.map((site) => site.name),
  }));
}

/** Where the management API of a config listens, as a {@linkcode ListenLine} has it; undefined where it does not. */
export function managementUrl({ management: { enabled, host, port } }: Config): string | undefined {
  return enabled ? urlOf(host, port) : undefined;
}

/** `bws 0.1.0 listening on …` ends with this: the sites of an address, without flooding the screen. */
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

function urlOf(address: string | undefined, port: number): string {
  const everywhere = address === undefined || address === "0.0.0.0" || address === "::";
  const host = everywhere ? "localhost" : address.includes(":") ? `[${address}]` : address;
  return `http://${host}:${port === 0 ? "(any free port)" : port}`;
}
