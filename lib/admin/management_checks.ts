/**
 * Checks of `[management]` that concern several keys.
 *
 * @module
 */

import type { ConfigCheck } from "../config/composed_config.ts";
import { isLoopback, overlap } from "../http/ip_address.ts";
import { lineOf, type ProblemList, quoted } from "../config/problem_list.ts";
import { booleanOf, child, type TableNode, tableOf, tablesOf, textNode, textNodesOf } from "../config/source_tree.ts";
import { portOf, shownPort } from "../listener/virtual_host_checks.ts";
import { MANAGEMENT_DEFAULTS, MIN_KEY_LENGTH } from "./management_schema.ts";

/** Checks that the API is not open to the network without a key, and that no site has its port. */
export const checkManagement: ConfigCheck = (root, problems) => {
  const management = tableOf(root, "management");
  if (management === undefined || !booleanOf(management, "enabled", false)) return;
  checkKey(management, problems);
  checkPort(management, tablesOf(root, "sites"), problems);
};

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

/** Finds a site with the port of the management API. */
function checkPort(management: TableNode, sites: readonly TableNode[], problems: ProblemList): void {
  const host = textNode(management, "host");
  const port = portOf(management, MANAGEMENT_DEFAULTS.port);
  if (port === 0 || port === undefined || (host === undefined && child(management, "host") !== undefined)) return;
  for (const [index, site] of sites.entries()) {
    const listen = textNode(site, "listen");
    if (portOf(site) !== port || (listen === undefined && child(site, "listen") !== undefined)) continue;
    if (!overlap(host?.value ?? MANAGEMENT_DEFAULTS.host, listen?.value)) continue;
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
