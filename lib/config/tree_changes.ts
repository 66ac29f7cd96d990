/**
 * Changes of a config's tree that give keys of the original BWS their meaning here.
 *
 * @module
 */

import type { ProblemList } from "./problem_list.ts";
import { child, type SourceNode, type TableNode } from "./source_tree.ts";

/** The value of a switch; substituted text has not been converted to a boolean yet. */
export function switchOf(node: SourceNode | undefined): boolean | undefined {
  if (node?.kind !== "scalar") return undefined;
  if (node.substituted && (node.value === "true" || node.value === "false")) return node.value === "true";
  return typeof node.value === "boolean" ? node.value : undefined;
}

/** The table of `key`, created if it is absent; undefined if the key has another type. */
export function openTable(table: TableNode, key: string): TableNode | undefined {
  const found = child(table, key);
  if (found !== undefined) return found.kind === "table" ? found : undefined;
  const made: TableNode = { kind: "table", path: [...table.path, key], span: table.span, entries: new Map() };
  table.entries.set(key, { node: made });
  return made;
}

/** Warns that `key` is taken as `name`, and removes it from its table. */
export function taken(table: TableNode, key: string, name: string, problems: ProblemList): void {
  const entry = table.entries.get(key);
  if (entry === undefined) return;
  table.entries.delete(key);
  problems.warning({ path: entry.node.path, span: entry.keySpan }, {
    message: `${key}, a key of the original BWS, is taken as ${name}`,
  });
}
