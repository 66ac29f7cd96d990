/**
 * What several keys of a site, or several sites, decide together. Works on the tree as it was written, so it finds its
 * mistakes even where other keys have wrong types.
 *
 * @module
 */

import { normalHost } from "./host_pattern.ts";
import { normalAddress } from "../http/ip_address.ts";
import { lineOf, type ProblemList, quoted } from "./problem_list.ts";
import {
  booleanOf,
  child,
  type Place,
  type TableNode,
  tableOf,
  tablesOf,
  type TextNode,
  textNode,
  textNodesOf,
} from "./source_tree.ts";

/** Port of a site that names none. */
export const DEFAULT_PORT = 8080;

/** Checks each site alone and all of them together. */
export function checkSites(root: TableNode, problems: ProblemList): void {
  const sites = tablesOf(root, "sites");
  checkNames(sites, problems);
  checkHosts(sites, problems);
  checkAddresses(sites, problems);
  for (const site of sites) {
    checkPurpose(site, problems);
    checkTryFiles(site, problems);
    checkCache(site, problems);
  }
}

function checkNames(sites: readonly TableNode[], problems: ProblemList): void {
  const first = new Map<string, Place>();
  for (const site of sites) {
    const name = textNode(site, "name");
    if (name === undefined) continue;
    const earlier = first.get(name.value);
    if (earlier === undefined) first.set(name.value, name);
    else {problems.error(name, {
        message: `two sites are named ${quoted(name)}${lineOf(earlier)}`,
        expected: "unique names",
      });}
  }
}

/** Finds hosts that two sites of one listener claim, and second `default` sites. */
function checkHosts(sites: readonly TableNode[], problems: ProblemList): void {
  const owners = new Map<string, { site: TableNode; place: TextNode | TableNode }>();
  const defaults = new Map<string, Place>();
  for (const site of sites) {
    const listener = listenerOf(site);
    if (listener === undefined) continue;
    let clash = false;
    for (const { host, place } of hostsOf(site)) {
      const key = `${listener} ${host}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, { site, place });
      else if (owner.site !== site) {
        clash = true;
        const what = host === "*" ? "any host" : `host ${shownHost(host, place)}`;
        problems.error(place, {
          message: `another site answers for ${what} on port ${shownPort(site)}${lineOf(owner.place)}`,
          expected: "one site for each host and port",
        });
      }
    }
    const place = child(site, "default");
    if (!booleanOf(site, "default", false) || place === undefined) continue;
    const earlier = defaults.get(listener);
    if (earlier === undefined) defaults.set(listener, place);
    // Sites that claim the same host are most likely one site, pasted twice
    else if (!clash) {
      problems.error(place, {
        message: `another site is the default on port ${shownPort(site)}${lineOf(earlier)}`,
        expected: "one default site for each port",
      });
    }
  }
}

/** Finds ports that are asked for on all interfaces and on one: the system gives a port to one of them. */
function checkAddresses(sites: readonly TableNode[], problems: ProblemList): void {
  const first = new Map<string, { wild: boolean; site: TableNode }>();
  for (const site of sites) {
    const listener = listenerOf(site);
    if (listener === undefined) continue;
    const [address, port] = listener.split(" ");
    const wild = address === "" || address === normalAddress("::") || address === normalAddress("0.0.0.0");
    const earlier = first.get(port);
    if (earlier === undefined) first.set(port, { wild, site });
    else if (earlier.wild !== wild) {
      problems.error(textNode(wild ? earlier.site : site, "listen") ?? site, {
        message: `port ${shownPort(site)} is also asked for on all interfaces`,
        expected: "the same `listen` for all sites of a port, or none, or another port",
      });
    }
  }
}

/** Address and port of a listener that sites may share as one key, or undefined where there is none. */
export function listenerOf(site: TableNode): string | undefined {
  const port = child(site, "port") ?? { kind: "scalar", value: DEFAULT_PORT };
  // Sites on port 0 share nothing: each is given a free port of its own
  if (port.kind !== "scalar" || typeof port.value !== "number" || port.value === 0) return undefined;
  const listen = textNode(site, "listen");
  if (listen === undefined && child(site, "listen") !== undefined) return undefined;
  return `${listen === undefined ? "" : normalAddress(listen.value)} ${port.value}`;
}

/** The port of a table as messages show it. */
export function shownPort(table: TableNode, fallback: number = DEFAULT_PORT): string {
  const port = child(table, "port");
  if (port?.kind !== "scalar") return String(fallback);
  return port.substituted === undefined ? String(port.value) : quoted(port);
}

function shownHost(host: string, place: TextNode | TableNode): string {
  return place.kind === "scalar" && place.substituted !== undefined ? quoted(place) : JSON.stringify(host);
}

/** The hosts that a site claims, in the form in which they are compared. */
function hostsOf(site: TableNode): { host: string; place: TextNode | TableNode }[] {
  const nodes = [textNode(site, "hostname") ?? [], textNodesOf(site, "hostnames")].flat();
  if (nodes.length > 0) return nodes.map((node) => ({ host: normalHost(node.value), place: node }));
  // Whoever has a host name that is not valid does not mean "any host"
  const list = child(site, "hostnames");
  const none = child(site, "hostname") === undefined &&
    (list === undefined || (list.kind === "list" && list.items.length === 0));
  return none ? [{ host: "*", place: site }] : [];
}

function checkPurpose(site: TableNode, problems: ProblemList): void {
  if (child(site, "static_dir") !== undefined) return;
  const proxy = child(site, "proxy");
  if (proxy !== undefined && (proxy.kind !== "table" || booleanOf(proxy, "enabled", true))) return;
  const message = proxy === undefined
    ? "the site neither serves files nor proxies"
    : "the site's proxy is not enabled, and it serves no files";
  problems.error(site, { message, expected: "static_dir, [sites.proxy] or both" });
}

function checkTryFiles(site: TableNode, problems: ProblemList): void {
  const node = child(site, "try_files");
  const last = node?.kind === "list" ? node.items.at(-1) : undefined;
  for (const entry of textNodesOf(site, "try_files")) {
    if (entry.value !== "=404" || entry === last) continue;
    problems.error(entry, { message: 'try_files goes on after "=404"', expected: '"=404" at the end only' });
  }
}

function checkCache(site: TableNode, problems: ProblemList): void {
  const cache = tableOf(site, "cache");
  const maxAge = child(cache, "max_age");
  if (maxAge !== undefined && child(cache, "control") !== undefined) {
    problems.error(maxAge, { message: "cache has both control and max_age", expected: "one of them" });
  }
  for (const rule of tablesOf(cache, "rules")) {
    if (child(rule, "path") !== undefined || child(rule, "extensions") !== undefined) continue;
    problems.error(rule, { message: "the rule does not say what it is for", expected: "path, extensions or both" });
  }
}
