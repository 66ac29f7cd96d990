/**
 * The {@linkcode SourceNode} tree of a config that was given as an object. Its nodes have paths and no lines.
 *
 * @module
 */

import { type Entry, type KeyPath, MAX_DEPTH, type SourceNode, type TableNode } from "./source_tree.ts";

/**
 * Builds the tree of a plain object. Keys whose value is undefined count as absent. A value that is neither plain data nor a
 * list becomes a scalar, which no key accepts; so does a value that is nested too deep, which ends cycles.
 */
export function objectTree(input: object): TableNode {
  return tableTree(input, []);
}

function tableTree(input: object, path: KeyPath): TableNode {
  const entries = new Map<string, Entry>();
  for (const [key, value] of Object.entries(input)) {
    if (value !== undefined) entries.set(key, { node: valueTree(value, [...path, key]) });
  }
  return { kind: "table", path, entries };
}

function valueTree(value: unknown, path: KeyPath): SourceNode {
  if (path.length >= MAX_DEPTH) return { kind: "scalar", path, value: null };
  if (Array.isArray(value)) {
    return { kind: "list", path, items: value.map((item, index) => valueTree(item, [...path, index])) };
  }
  return isPlainObject(value) ? tableTree(value, path) : { kind: "scalar", path, value };
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
