/**
 * Looks up what a key of another server is called here.
 *
 * @module
 */

import { KEYS } from "./other_tools_keys.ts";
import type { KeyPath } from "./source_tree.ts";

/** What to write for a key that is not known in the table at `path`; undefined where nothing is known of it. */
export function keyOfOtherTool(path: KeyPath, key: string): string | undefined {
  const name = key.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll("-", "_").toLowerCase();
  if (!Object.hasOwn(KEYS, name)) return undefined;
  const found = KEYS[name];
  const table = path.filter((step) => typeof step === "string").join(".");
  const hint = typeof found === "string" ? found : Object.hasOwn(found, table) ? found[table] : found["*"];
  // A route has times of its own
  return /^sites\.proxy\.routes(?:\.timeout)?$/.test(table)
    ? hint?.replace("[sites.proxy.timeout]", "[sites.proxy.routes.timeout]")
    : hint;
}
