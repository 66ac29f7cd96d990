/**
 * A config, to be shown: everything but secrets. What came by `${NAME}` is shown as it is written in the file, whatever its
 * key is called; besides, what its name or its form tells to be a secret is masked.
 *
 * @module
 */

import type { Config, SiteConfig, UpstreamConfig } from "./schema.ts";
import { isSecret, MASK, withoutUsers } from "./secret_names.ts";
import {
  child,
  formatPath,
  type KeyPath,
  type SourceNode,
  type TableNode,
  tablesOf,
  textNode,
  textNodesOf,
} from "./source_tree.ts";

/** Values of a config that came by `${NAME}`: the path of each, with what is shown in its place. */
export type SubstitutedValues = Readonly<Record<string, string>>;

/** Keys that come out of the schema under the name of their twin. */
const TWINS: Readonly<Record<string, string>> = { interval_seconds: "interval" };

/** The values below `root` that came by `${NAME}`; undefined where none did. */
export function substitutedValues(root: TableNode): SubstitutedValues | undefined {
  const found: Record<string, string> = {};
  collect(root, [], found);
  for (const [index, site] of tablesOf(root, "sites").entries()) {
    // A site without a name has that of its first host
    const host = textNode(site, "hostname") ?? textNodesOf(site, "hostnames").at(0);
    if (host?.substituted !== undefined && child(site, "name") === undefined) {
      found[formatPath(["sites", index, "name"])] = host.substituted;
    }
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

function collect(node: SourceNode, path: KeyPath, found: Record<string, string>): void {
  if (node.kind === "table") {
    for (const [key, entry] of node.entries) collect(entry.node, [...path, TWINS[key] ?? key], found);
    return;
  }
  if (node.kind === "list") {
    for (const [index, item] of node.items.entries()) collect(item, [...path, index], found);
    return;
  }
  if (node.substituted !== undefined) found[formatPath(path)] = node.substituted;
}

/** The config as JSON data, secrets masked. Paths of key files stay. */
export function shownConfig(config: Config): Readonly<Record<string, unknown>> {
  const { substituted = {}, ...tables } = config;
  return Object.fromEntries(Object.entries(tables).map(([key, value]) => [key, shown(value, [key], substituted)]));
}

/** The sites of a config as {@linkcode shownConfig} shows them, where that is not as they are. */
export function shownSites({ sites, substituted }: Config): ReadonlyMap<SiteConfig, SiteConfig> {
  if (substituted === undefined) return new Map();
  // Of the same shape, for what is masked is only written out again
  return new Map(sites.map((site, index) => [site, shown(site, ["sites", index], substituted) as SiteConfig]));
}

/**
 * The URLs of upstreams as logs, metrics and the API name them, where that is not as they are: of one that came by
 * `${NAME}`, scheme, host and port tell where it is, and its path may be a secret.
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

function shown(value: unknown, path: KeyPath, substituted: SubstitutedValues): unknown {
  const template = substituted[formatPath(path)];
  if (template !== undefined) return isSecret(template, path) ? MASK : withoutUsers(template);
  if (Array.isArray(value)) {
    // The schema drops items that say the same, so that another may stand at the place of one that is hidden
    const marked = value.some((item, index) => typeof item === "string" && formatPath([...path, index]) in substituted);
    return value.map((item, index) =>
      marked ? substituted[formatPath([...path, index])] ?? MASK : shown(item, [...path, index], substituted)
    );
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, shown(item, [...path, key], substituted)]),
    );
  }
  if (typeof value !== "string") return value;
  return isSecret(value, path) ? MASK : withoutUsers(value);
}
