/**
 * The values of a config for display, with secrets masked. Substituted values are shown as they are written in the file, such
 * as `${NAME}`; of the others, those that are secrets by their name or form are masked.
 *
 * @module
 */

import { isSecret, MASK, withoutUsers } from "./secret_names.ts";
import { formatPath, type KeyPath, type SourceNode } from "./source_tree.ts";

/** Substituted values of a config: the path of each, with the text that is shown in its place. */
export type SubstitutedValues = Readonly<Record<string, string>>;

/**
 * The substituted values below `root`.
 *
 * @param twins Keys to which the schema gives another name.
 */
export function substitutedValues(root: SourceNode, twins: Readonly<Record<string, string>>): Record<string, string> {
  const found: Record<string, string> = {};
  collect(root, [], { twins, found });
  return found;
}

function collect(
  node: SourceNode,
  path: KeyPath,
  to: { twins: Readonly<Record<string, string>>; found: Record<string, string> },
): void {
  if (node.kind === "table") {
    for (const [key, entry] of node.entries) collect(entry.node, [...path, to.twins[key] ?? key], to);
    return;
  }
  if (node.kind === "list") {
    for (const [index, item] of node.items.entries()) collect(item, [...path, index], to);
    return;
  }
  if (node.substituted !== undefined) to.found[formatPath(path)] = node.substituted;
}

/** The value at `path`, of the same shape, with secrets masked. */
export function shownValue(value: unknown, path: KeyPath, substituted: SubstitutedValues): unknown {
  const template = substituted[formatPath(path)];
  if (template !== undefined) return isSecret(template, path) ? MASK : withoutUsers(template);
  if (Array.isArray(value)) {
    // The schema drops equal items, so that an index may belong to another item than in the tree.
    const marked = value.some((item, index) => typeof item === "string" && formatPath([...path, index]) in substituted);
    return value.map((item, index) =>
      marked ? substituted[formatPath([...path, index])] ?? MASK : shownValue(item, [...path, index], substituted)
    );
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, shownValue(item, [...path, key], substituted)]),
    );
  }
  if (typeof value !== "string") return value;
  return isSecret(value, path) ? MASK : withoutUsers(value);
}
