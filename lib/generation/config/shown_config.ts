/**
 * A config for display in the management API, in endpoints and in logs.
 *
 * @module
 */

import { MASK, withoutUsers } from "../../config/secret_names.ts";
import { shownValue, substitutedValues } from "../../config/shown_values.ts";
import { child, formatPath, type TableNode, tablesOf, textNode, textNodesOf } from "../../config/source_tree.ts";
import type { Config, SiteConfig } from "./config_types.ts";
import type { UpstreamConfig } from "../../handlers/proxy/config/upstream_schema.ts";

/** Keys to which the schema gives another name. */
const TWINS: Readonly<Record<string, string>> = { interval_seconds: "interval" };

/** The config with the list of its substituted values, if there are any. */
export function withSubstituted(config: Config, root: TableNode): Config {
  const substituted = substitutedValues(root, TWINS);
  for (const [index, site] of tablesOf(root, "sites").entries()) {
    // The name of a site is by default its first host.
    const host = textNode(site, "hostname") ?? textNodesOf(site, "hostnames").at(0);
    if (host?.substituted !== undefined && child(site, "name") === undefined) {
      substituted[formatPath(["sites", index, "name"])] = host.substituted;
    }
  }
  return Object.keys(substituted).length === 0 ? config : { ...config, substituted };
}

/** The config as JSON data with secrets masked. Paths of key files are not masked. */
export function shownConfig(config: Config): Readonly<Record<string, unknown>> {
  const { substituted = {}, file: _file, ...tables } = config;
  return Object.fromEntries(Object.entries(tables).map(([key, value]) => [key, shownValue(value, [key], substituted)]));
}

/** The sites of a config with secrets masked, as in {@linkcode shownConfig}; only those that have any. */
export function shownSites({ sites, substituted }: Config): ReadonlyMap<SiteConfig, SiteConfig> {
  if (substituted === undefined) return new Map();
  // The cast is safe: the shape is the same, and masked values are only shown.
  return new Map(sites.map((site, index) => [site, shownValue(site, ["sites", index], substituted) as SiteConfig]));
}

/**
 * The URLs of upstreams for logs, metrics and the API, where they differ from the config: of a substituted URL only scheme,
 * host and port are shown, since its path may be a secret.
 */
export function shownUrls({ sites, substituted = {} }: Config): ReadonlyMap<UpstreamConfig, string> {
  const urls = new Map<UpstreamConfig, string>();
  for (const [index, site] of sites.entries()) {
    for (const [place, upstream] of site.proxy?.upstreams.entries() ?? []) {
      const { url } = upstream;
      const path = ["sites", index, "proxy", "upstreams", place, "url"];
      const [whole, origin] = /^([a-z+]+:\/\/[^/]*)\/./i.exec(url) ?? [];
      if (whole !== undefined && formatPath(path) in substituted) urls.set(upstream, `${withoutUsers(origin)}/${MASK}`);
    }
  }
  return urls;
}
