/**
 * Checks of the limits of ports, which several sites may share.
 *
 * @module
 */

import type { ConfigCheck } from "../config/composed_config.ts";
import { describeNode, lineOf } from "../config/problem_list.ts";
import { child, type ScalarNode, tableOf, tablesOf, textNode } from "../config/source_tree.ts";
import { listenerKind } from "./listener_choice.ts";
import { LISTENER_KINDS } from "./listener_kind.ts";
import { listenerOf, shownPort } from "./virtual_host_checks.ts";

/**
 * Finds sites of one port that set a limit to two values, and warns of limits where the ports have the runtime's listener,
 * which has none.
 */
export const checkListenerLimits: ConfigCheck = (root, problems) => {
  const server = tableOf(root, "server");
  const named = textNode(server, "listener")?.value;
  const kind = listenerKind({ listener: LISTENER_KINDS.find((known) => known === named) });
  const first = new Map<string, ScalarNode>();
  for (const place of [server, ...tablesOf(root, "sites")]) {
    const limits = child(place, "limits");
    if (place === undefined || limits === undefined) continue;
    if (kind === "runtime") {
      const table = place === server ? "[server.limits]" : "[sites.limits]";
      problems.warning(limits, {
        message: named === undefined
          ? `${table} has no effect: BWS_LISTENER is runtime`
          : `${table} has no effect with listener = "runtime"`,
        expected: 'server.listener = "own"',
      });
    }
    const listener = place === server ? undefined : listenerOf(place);
    if (listener === undefined || limits.kind !== "table") continue;
    for (const [key, { node }] of limits.entries) {
      if (node.kind !== "scalar") continue;
      const earlier = first.get(`${listener} ${key}`);
      if (earlier === undefined) first.set(`${listener} ${key}`, node);
      else if (earlier.value !== node.value) {
        problems.error(node, {
          message: `another site of port ${shownPort(place)} has ${key} = ${describeNode(earlier)}${lineOf(earlier)}`,
          expected: `one ${key} for all sites of a port`,
        });
      }
    }
  }
};
