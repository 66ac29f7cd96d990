/**
 * Checks across the names, hosts and ports of several sites.
 *
 * @module
 */

import type { ConfigCheck } from "../config/composed_config.ts";
import { normalHost } from "../config/host_pattern.ts";
import { normalAddress } from "../http/ip_address.ts";
import { lineOf, type ProblemList, quoted } from "../config/problem_list.ts";
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
} from "../config/source_tree.ts";
import { DEFAULT_PORT } from "./virtual_host_schema.ts";

/** Checks that sites have names and hosts of their own, and that their addresses can be listened on together. */
export const checkVirtualHosts: ConfigCheck = (root, problems) => {
  const sites = tablesOf(root, "sites");
  checkNames(sites, problems);
  checkHosts(sites, problems);
  checkAddresses(sites, problems);
  checkProxyProtocol(sites, tableOf(root, "server"), problems);
};

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
          message: `another site serves ${what} on port ${shownPort(site)}${lineOf(owner.place)}`,
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

/** Finds ports that are configured both for all interfaces and for one: the system gives a port to only one of them. */
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

/** Finds sites of one listener that differ in `proxy_protocol`, and those on which it has no effect. */
function checkProxyProtocol(sites: readonly TableNode[], server: TableNode | undefined, problems: ProblemList): void {
  const first = new Map<string, { proxied: boolean; site: TableNode }>();
  for (const site of sites) {
    const proxied = booleanOf(site, "proxy_protocol", false);
    const place = child(site, "proxy_protocol") ?? site;
    const listener = listenerOf(site);
    const earlier = listener === undefined ? undefined : first.get(listener);
    if (listener !== undefined && earlier === undefined) first.set(listener, { proxied, site });
    if (earlier !== undefined && earlier.proxied !== proxied) {
      problems.error(place, {
        message: `another site of port ${shownPort(site)} has proxy_protocol = ${!proxied}${lineOf(earlier.site)}`,
        expected: "the same proxy_protocol for all sites of a port",
      });
    }
    if (!proxied) continue;
    if (child(server, "trusted_proxies") === undefined) {
      problems.error(place, {
        message: "proxy_protocol is true, and no proxy is trusted",
        expected: "the addresses of the proxies in front in server.trusted_proxies",
      });
    }
    if (textNode(server, "listener")?.value === "runtime") {
      problems.error(place, {
        message: "proxy_protocol is true, and the server of the runtime does not know it",
        expected: 'server.listener = "own"',
      });
    }
  }
}

/** Address and port of a listener that sites may share, as one key; undefined if there is none. */
export function listenerOf(site: TableNode): string | undefined {
  const port = child(site, "port") ?? { kind: "scalar", value: DEFAULT_PORT };
  // Sites on port 0 share no listener: each is given a free port of its own
  if (port.kind !== "scalar" || typeof port.value !== "number" || port.value === 0) return undefined;
  const listen = textNode(site, "listen");
  if (listen === undefined && child(site, "listen") !== undefined) return undefined;
  return `${listen === undefined ? "" : normalAddress(listen.value)} ${port.value}`;
}

/** The port of a table, as text for messages. */
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
  // An invalid host name does not mean "any host"
  const list = child(site, "hostnames");
  const none = child(site, "hostname") === undefined &&
    (list === undefined || (list.kind === "list" && list.items.length === 0));
  return none ? [{ host: "*", place: site }] : [];
}

/** The port of a table, or undefined if it is not a number. */
export function portOf(table: TableNode, fallback: number = DEFAULT_PORT): number | undefined {
  const node = child(table, "port");
  if (node === undefined) return fallback;
  return node.kind === "scalar" && typeof node.value === "number" ? node.value : undefined;
}
