/**
 * What several keys outside of sites decide together.
 *
 * @module
 */

import { isLoopback } from "./ip_address.ts";
import type { ProblemList } from "./problem_list.ts";
import { booleanOf, child, type TableNode, tableOf, textNode } from "./source_tree.ts";

/** Checks the tables beside `[[sites]]`. */
export function checkServer(root: TableNode, problems: ProblemList): void {
  const management = tableOf(root, "management");
  const host = textNode(management, "host");
  if (!booleanOf(management, "enabled", false) || host === undefined || isLoopback(host.value)) return;
  if (child(management, "api_key") !== undefined) return;
  problems.error(host, {
    message: `management.host is ${JSON.stringify(host.value)} and there is no api_key`,
    expected:
      "an api_key, or a loopback address such as 127.0.0.1: whoever reaches the management API controls the server",
  });
}
