/**
 * Finds upstreams that are one of the config's own listeners: each request to them would loop.
 *
 * @module
 */

import { isIpAddress, parseAddress } from "../../http/ip_address.ts";
import type { ConfigCheck } from "../../config/composed_config.ts";
import { lineOf, type ProblemList, quoted } from "../../config/problem_list.ts";
import { MANAGEMENT_DEFAULTS } from "../../admin/management_schema.ts";
import { portOf } from "../../listener/virtual_host_checks.ts";
import {
  booleanOf,
  child,
  type Place,
  type TableNode,
  tableOf,
  tablesOf,
  textNode,
  textNodesOf,
} from "../../config/source_tree.ts";
import { serviceUrlFault, splitServiceUrl } from "../../upstream/service_url.ts";
import { plainUrl, upstreamUrlFault, usesSrv } from "../../upstream/upstream_url.ts";

/** An address on which this config listens. */
interface Listener {
  /** IP address or host name; undefined for all interfaces. */
  readonly host: string | undefined;
  readonly port: number;
  /** Description of the listener, for messages. */
  readonly what: string;
  readonly place: Place;
  /** Its site; undefined for the management API. */
  readonly site?: TableNode;
}

/** Refuses upstreams of enabled proxies that are this server itself. */
export const checkLoops: ConfigCheck = (root, problems, { opensPorts }) => {
  if (!opensPorts) return;
  const listeners = listenersOf(root);
  let own: ReadonlySet<string> | undefined;
  for (const site of tablesOf(root, "sites")) {
    const proxy = tableOf(site, "proxy");
    checkAuthService(site, listeners, problems, () => own ??= ownHosts());
    if (proxy === undefined || !booleanOf(proxy, "enabled", true)) continue;
    for (const upstream of tablesOf(proxy, "upstreams")) {
      const url = textNode(upstream, "url");
      if (url === undefined || usesSrv(url.value) || /^unix:/i.test(url.value)) continue;
      if (upstreamUrlFault(url.value) !== undefined) continue;
      const found = listeners.find((one) => leadsTo(new URL(plainUrl(url.value)), one, () => own ??= ownHosts()));
      if (found === undefined) continue;
      problems.error(url, {
        message: `upstream ${quoted(url)} is this server itself: ${found.what}${lineOf(found.place)} ` +
          `listens on port ${found.port}`,
        expected: "another address or port: requests would come back without end",
      });
    }
  }
};

/**
 * Refuses a service of `forward_auth` that is the guarded site itself. Another site of this server may well be one, and so
 * may a route that has no guard.
 */
function checkAuthService(
  site: TableNode,
  listeners: readonly Listener[],
  problems: ProblemList,
  ownHosts: () => ReadonlySet<string>,
): void {
  const guard = tableOf(site, "forward_auth");
  const url = textNode(guard, "url");
  if (guard === undefined || url === undefined || !booleanOf(guard, "enabled", true)) return;
  if (/^unix:/i.test(url.value) || serviceUrlFault(url.value) !== undefined) return;
  const { address, target } = splitServiceUrl(url.value);
  const parsed = new URL(address);
  const found = listeners.filter((one) => one.site !== undefined && leadsTo(parsed, one, ownHosts));
  const named = found.find(({ site }) => site !== undefined && hostsOf(site).includes(parsed.hostname));
  const chosen = named ?? found.find(({ site }) => site !== undefined && booleanOf(site, "default", false)) ??
    found.at(0);
  if (chosen?.site !== site) return;
  const path = target.split("?")[0];
  const open = tablesOf(tableOf(site, "proxy"), "routes").some((route) => {
    const prefix = textNode(route, "path")?.value;
    return prefix !== undefined && path.startsWith(prefix) && tableOf(route, "forward_auth") !== undefined;
  });
  if (open) return;
  problems.error(url, {
    message: `the service ${quoted(url)} is the site itself: each question would be asked about again`,
    expected: "another address, or a route for its path with a [sites.proxy.routes.forward_auth] of its own",
  });
}

function hostsOf(site: TableNode): string[] {
  const name = textNode(site, "hostname");
  return [...name === undefined ? [] : [name], ...textNodesOf(site, "hostnames")].map(({ value }) =>
    value.toLowerCase()
  );
}

function listenersOf(root: TableNode): Listener[] {
  const listeners: Listener[] = [];
  for (const [index, site] of tablesOf(root, "sites").entries()) {
    const port = portOf(site);
    const listen = textNode(site, "listen");
    if (!port || (listen === undefined && child(site, "listen") !== undefined)) continue;
    const name = textNode(site, "name")?.value ?? textNode(site, "hostname")?.value ?? `site-${index + 1}`;
    const what = `site ${JSON.stringify(name)}`;
    listeners.push({ host: listen?.value, port, what, place: child(site, "port") ?? site, site });
  }
  const management = tableOf(root, "management");
  if (management === undefined || !booleanOf(management, "enabled", false)) return listeners;
  const port = portOf(management, MANAGEMENT_DEFAULTS.port);
  const host = textNode(management, "host")?.value ?? MANAGEMENT_DEFAULTS.host;
  if (port) listeners.push({ host, port, what: "the management API", place: child(management, "port") ?? management });
  return listeners;
}

/** @param url Addresses in it have the canonical form, IPv6 in brackets. */
function leadsTo(url: URL, { host, port }: Listener, ownHosts: () => ReadonlySet<string>): boolean {
  if (port !== (url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port))) return false;
  const { hostname } = url;
  const target = placeOf(hostname);
  const listened = host === undefined ? "::" : placeOf(host);
  if (target === listened) return true;
  const loopback = LOOPBACK.test(target) || target === "localhost" || WILD.has(target);
  if (WILD.has(listened)) {
    // A listener on all IPv4 interfaces does not accept IPv6.
    if (listened === "0.0.0.0" && target.includes(":") && target !== "::") return false;
    return loopback || ownHosts().has(target);
  }
  // A name and an address that are both loopback. A connection to "all interfaces" goes to loopback.
  if (target === "localhost" || listened === "localhost") {
    return FIRST_LOOPBACK.has(target) && FIRST_LOOPBACK.has(listened);
  }
  return WILD.has(target) && FIRST_LOOPBACK.has(listened) && target.includes(":") === listened.includes(":");
}

const WILD: ReadonlySet<string> = new Set(["::", "0.0.0.0"]);
const FIRST_LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1", "::", "0.0.0.0"]);
const LOOPBACK = /^(?:127\.|::1$)/;
// The latter are in /etc/hosts of Debian and of Red Hat.
const LOOPBACK_NAMES = /\.localhost$|^(?:ip6-localhost|ip6-loopback|localhost6?(?:\.localdomain6?)?)$/;

/** Equal hosts give equal text: addresses in one form without brackets, IPv4 in IPv6 form as IPv4, `x.localhost` as `localhost`. */
function placeOf(host: string): string {
  const plain = host.replace(/^\[|\]$/g, "").replace(/\.$/, "").toLowerCase();
  const bytes = parseAddress(plain);
  if (bytes === undefined) return LOOPBACK_NAMES.test(plain) ? "localhost" : plain;
  if (bytes.length === 4) return bytes.join(".");
  return new URL(`http://[${plain}]`).hostname.slice(1, -1);
}

/** Addresses and name of this machine, as far as they may be read. */
function ownHosts(): ReadonlySet<string> {
  const hosts = new Set<string>();
  if (!permitted("networkInterfaces") || !permitted("hostname")) return hosts;
  try {
    for (const { address } of Deno.networkInterfaces()) {
      const plain = address.replace(/%.*$/, "");
      if (isIpAddress(plain)) hosts.add(placeOf(plain));
    }
    hosts.add(Deno.hostname().toLowerCase());
  } catch {
    // Not available on this system; loopback is known anyway.
  }
  return hosts;
}

// Checked first: a read without the permission would prompt the user.
function permitted(kind: "networkInterfaces" | "hostname"): boolean {
  return Deno.permissions.querySync({ name: "sys", kind }).state === "granted";
}
