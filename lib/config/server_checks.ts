/**
 * What several keys outside of sites decide together.
 *
 * @module
 */

import { isLoopback, overlap } from "../http/ip_address.ts";
import { lineOf, type ProblemList, quoted } from "./problem_list.ts";
import { DEFAULT_PORT, shownPort } from "./site_checks.ts";
import { booleanOf, child, type TableNode, tableOf, tablesOf, textNode, textNodesOf } from "./source_tree.ts";

const MIN_KEY_LENGTH = 16;
const DEFAULT_HOST = "127.0.0.1";
/** Port of the management API where the config names none. */
export const DEFAULT_MANAGEMENT_PORT = 7654;

/** Checks the tables beside `[[sites]]`. */
export function checkServer(root: TableNode, problems: ProblemList): void {
  checkTrust(root, problems);
  const management = tableOf(root, "management");
  if (management === undefined || !booleanOf(management, "enabled", false)) return;
  checkKey(management, problems);
  checkPort(management, tablesOf(root, "sites"), problems);
}

/** Whoever is trusted chooses the client's address, the scheme and the host that a request is taken for. */
function checkTrust(root: TableNode, problems: ProblemList): void {
  for (const network of textNodesOf(tableOf(root, "server"), "trusted_proxies")) {
    if (!/\/0+$/.test(network.value)) continue;
    problems.warning(network, {
      message: `${quoted(network)} trusts every peer: any client can say that it comes from another address`,
      expected: "the addresses of the proxies in front",
    });
  }
}

function checkKey(management: TableNode, problems: ProblemList): void {
  const host = textNode(management, "host");
  const reachable = host !== undefined && !isLoopback(host.value);
  if (reachable && child(management, "api_key") === undefined) {
    problems.error(host, {
      message: `management.host is ${quoted(host)} and there is no api_key`,
      expected:
        "an api_key, or a loopback address such as 127.0.0.1: whoever reaches the management API controls the server",
    });
  }
  const key = textNode(management, "api_key");
  if (key === undefined || key.value === "" || key.value.length >= MIN_KEY_LENGTH) return;
  const details = {
    message: "api_key is too short (not shown)",
    expected: `text of at least ${MIN_KEY_LENGTH} characters`,
  };
  if (reachable) problems.error(key, details);
  else problems.warning(key, details);
}

/** Finds a site whose port the management API would ask for as well. */
function checkPort(management: TableNode, sites: readonly TableNode[], problems: ProblemList): void {
  const host = textNode(management, "host");
  const port = portOf(management, DEFAULT_MANAGEMENT_PORT);
  if (port === 0 || port === undefined || (host === undefined && child(management, "host") !== undefined)) return;
  for (const [index, site] of sites.entries()) {
    const listen = textNode(site, "listen");
    if (portOf(site, DEFAULT_PORT) !== port || (listen === undefined && child(site, "listen") !== undefined)) continue;
    if (!overlap(host?.value ?? DEFAULT_HOST, listen?.value)) continue;
    const name = textNode(site, "name") ?? textNode(site, "hostname") ?? textNodesOf(site, "hostnames").at(0);
    const shown = name === undefined ? JSON.stringify(`site-${index + 1}`) : quoted(name);
    problems.error(child(management, "port") ?? management, {
      message: `management.port ${shownPort(management, port)} is also the port of site ${shown}${
        lineOf(child(site, "port") ?? site)
      }`,
      expected: "a port of its own",
    });
    return;
  }
}

/** The port of a table, or undefined where it is no number. */
export function portOf(table: TableNode, fallback: number): number | undefined {
  const node = child(table, "port");
  if (node === undefined) return fallback;
  return node.kind === "scalar" && typeof node.value === "number" ? node.value : undefined;
}
