/**
 * Looks up the keys of other servers and their names here.
 *
 * @module
 */

import { KEYS } from "./other_tools_keys.ts";
import { LIMIT_TABLES } from "./other_tools_limits.ts";
import type { KeyPath } from "./source_tree.ts";

/** What to write in place of an unknown key in the table at `path`; undefined if there is no advice. */
export function keyOfOtherTool(path: KeyPath, key: string): string | undefined {
  const name = key.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll("-", "_").toLowerCase();
  if (!Object.hasOwn(KEYS, name)) return undefined;
  const found = KEYS[name];
  const table = path.filter((step) => typeof step === "string").join(".");
  const hint = typeof found === "string" ? found : Object.hasOwn(found, table) ? found[table] : found["*"];
  if (/^(?:server|sites)\.limits$/.test(table)) return hint?.replace(LIMIT_TABLES, "");
  // A route has timeouts of its own.
  return /^sites\.proxy\.routes(?:\.timeout)?$/.test(table)
    ? hint?.replace("[sites.proxy.timeout]", "[sites.proxy.routes.timeout]")
    : hint;
}
