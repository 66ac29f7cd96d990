/**
 * Checks that the ports of a config can be opened on this machine, by this user.
 *
 * @module
 */

import type { ProblemList } from "../../config/problem_list.ts";
import { MANAGEMENT_DEFAULTS } from "../../admin/management_schema.ts";
import type { ConfigCheck } from "../../config/composed_config.ts";
import { listenerOf, shownPort } from "../../listener/virtual_host_checks.ts";
import { booleanOf, child, type TableNode, tableOf, tablesOf, textNode } from "../../config/source_tree.ts";

/** Tries each port once, including that of the management API. */
export const checkPorts: ConfigCheck = (root, problems, { tryPort }) => {
  if (tryPort === undefined) return;
  const shared = booleanOf(tableOf(root, "server"), "reuse_port", false);
  const tried = new Set<string>();
  for (const site of tablesOf(root, "sites")) {
    const listener = listenerOf(site);
    if (listener === undefined || tried.has(listener)) continue;
    tried.add(listener);
    const port = Number(listener.slice(listener.lastIndexOf(" ") + 1));
    const fault = tryPort(textNode(site, "listen")?.value, port, { shared });
    if (fault !== undefined) refuse(site, { port: shownPort(site), fault }, problems);
  }
  const management = tableOf(root, "management");
  if (management === undefined || !booleanOf(management, "enabled", false)) return;
  const node = child(management, "port");
  const port = node === undefined ? MANAGEMENT_DEFAULTS.port : node.kind === "scalar" ? Number(node.value) : NaN;
  // A port of another site, or an invalid one, is reported already.
  if (!(port > 0 && port <= 65_535) || problems.errors.some(({ path }) => path.startsWith("management.port"))) return;
  const fault = tryPort(textNode(management, "host")?.value ?? MANAGEMENT_DEFAULTS.host, port, { shared: false });
  if (fault !== undefined) refuse(management, { port: shownPort(management, port), fault }, problems);
};

function refuse(table: TableNode, { port, fault }: { port: string; fault: string }, problems: ProblemList): void {
  problems.error(child(table, "port") ?? textNode(table, "listen") ?? table, {
    message: `port ${port} cannot be opened: ${fault}`,
  });
}
