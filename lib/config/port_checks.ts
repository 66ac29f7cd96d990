/**
 * Whether the ports that a config asks for can be opened on this machine, by this user.
 *
 * @module
 */

import type { ProblemList } from "./problem_list.ts";
import { DEFAULT_MANAGEMENT_PORT } from "./server_checks.ts";
import { listenerOf, shownPort } from "./site_checks.ts";
import { booleanOf, child, type TableNode, tableOf, tablesOf, textNode } from "./source_tree.ts";

/** Tries whether a port can be opened: why not, or undefined where it can. */
export type TryPort = (listen: string | undefined, port: number, options: { shared: boolean }) => string | undefined;

const DEFAULT_MANAGEMENT_HOST = "127.0.0.1";

/** Tries each port once, that of the management API included. */
export function checkPorts(root: TableNode, problems: ProblemList, tryPort: TryPort): void {
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
  const port = node === undefined ? DEFAULT_MANAGEMENT_PORT : node.kind === "scalar" ? Number(node.value) : NaN;
  // Another site's or no port at all: that is reported already
  if (!(port > 0 && port <= 65_535) || problems.errors.some(({ path }) => path.startsWith("management.port"))) return;
  const fault = tryPort(textNode(management, "host")?.value ?? DEFAULT_MANAGEMENT_HOST, port, { shared: false });
  if (fault !== undefined) refuse(management, { port: shownPort(management, port), fault }, problems);
}

function refuse(table: TableNode, { port, fault }: { port: string; fault: string }, problems: ProblemList): void {
  problems.error(child(table, "port") ?? textNode(table, "listen") ?? table, {
    message: `port ${port} cannot be opened: ${fault}`,
  });
}
