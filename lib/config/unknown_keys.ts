/**
 * Keys that the schema does not know, and the message for each.
 *
 * @module
 */

import { nearestName, oneOf } from "./nearest_name.ts";
import { originalKeysOf } from "./original_keys.ts";
import { keyOfOtherTool } from "./other_tools.ts";
import type { ProblemDetails } from "./problem_list.ts";
import { formatPath, type KeyPath, type Place, type TableNode } from "./source_tree.ts";

/** A key that the schema does not know. */
export interface UnknownKey extends ProblemDetails {
  /** The key, and where it is written. */
  readonly place: Place;
  /** The key's table. */
  readonly table: TableNode;
}

/** A table of the walk, with its known keys. */
export interface Ancestor {
  readonly path: KeyPath;
  readonly keys: readonly string[];
}

/** What a problem says of an unknown key: the key of another tool, the nearest key, the table that has it, or all keys. */
export function unknownKeyDetails(
  key: string,
  table: TableNode,
  keys: string[],
  ancestors: readonly Ancestor[],
): ProblemDetails {
  const message = unknownKeyMessage(key, table);
  const elsewhere = keyOfOtherTool(table.path, key);
  if (elsewhere !== undefined) return { message, expected: elsewhere };
  const suggestion = nearestName(key, [...keys, ...Object.keys(originalKeysOf(table.path))]);
  if (suggestion !== undefined) return { message, suggestion };
  // A frequent mistake: in TOML, a key below a header belongs to the table of that header.
  const owner = ancestors.findLast((ancestor) => ancestor.keys.includes(key));
  if (owner !== undefined && owner.path.length > 0) {
    return { message, expected: `it directly below ${tableName(owner.path)}` };
  }
  return { message, expected: oneOf(keys) };
}

/** The message alone, without a hint. */
export function unknownKeyMessage(key: string, table: TableNode): string {
  const shown = JSON.stringify(key.length > 80 ? `${key.slice(0, 79)}…` : key);
  return `unknown key ${shown} in ${tableName(table.path)}`;
}

/** A table's header as it would be written; the root has none. */
export function tableName(path: KeyPath): string {
  if (path.length === 0) return "the file";
  const name = formatPath(path.filter((step) => typeof step === "string"));
  return typeof path.at(-1) === "number" ? `[[${name}]]` : `[${name}]`;
}
