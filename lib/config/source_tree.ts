/**
 * A config as it was written: tables, lists and scalars with their positions. All checks work on this tree, so that one
 * mistake does not hide another, and every problem has a position.
 *
 * @module
 */

/** Keys and indices from the root to a node. */
export type KeyPath = readonly (string | number)[];

/** A part of one line of the file. */
export interface Span {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** In UTF-16 code units. */
  readonly length: number;
}

/** A node to which a problem can refer. */
export interface Place {
  /** Keys from the root. */
  readonly path: KeyPath;
  /** Position in the file; undefined for configs that were given as objects. */
  readonly span?: Span;
}

/** A table: `[name]`, one of `[[name]]`, or `{ … }`. */
export interface TableNode extends Place {
  readonly kind: "table";
  span?: Span;
  readonly entries: Map<string, Entry>;
}

/** A key of a table, with its value. */
export interface Entry {
  /** Position of the key. */
  readonly keySpan?: Span;
  node: SourceNode;
}

/** A list: `[ … ]`, or all `[[name]]` of one name. */
export interface ListNode extends Place {
  readonly kind: "list";
  readonly items: SourceNode[];
}

/** Any other value. */
export interface ScalarNode extends Place {
  readonly kind: "scalar";
  value: unknown;
  /** The text between its quotes included, as written; undefined for configs that were given as objects. */
  readonly raw?: string;
  /** If values were substituted in it: the text with `${NAME}`, which may be shown. */
  substituted?: string;
  /** Whether a problem was reported for it, so that no other one is reported. */
  poisoned?: boolean;
}

/** A node of the tree. */
export type SourceNode = TableNode | ListNode | ScalarNode;

/** Maximum nesting of tables and lists. The schema needs 8. */
export const MAX_DEPTH = 32;

/** The node of `key` in `table`, whatever its kind. */
export function child(table: TableNode | undefined, key: string): SourceNode | undefined {
  return table?.entries.get(key)?.node;
}

/** The table of `key`, or undefined if it is absent or has another type. */
export function tableOf(table: TableNode | undefined, key: string): TableNode | undefined {
  const node = child(table, key);
  return node?.kind === "table" ? node : undefined;
}

/** The tables in the list of `key`; members of other kinds are left out. */
export function tablesOf(table: TableNode | undefined, key: string): TableNode[] {
  const node = child(table, key);
  return node?.kind === "list" ? node.items.filter((item) => item.kind === "table") : [];
}

/** The text nodes in the list of `key`. */
export function textNodesOf(table: TableNode | undefined, key: string): TextNode[] {
  const node = child(table, key);
  return node?.kind === "list" ? node.items.filter(isTextNode) : [];
}

/** The node at `path` below `root`, or its nearest ancestor that exists. */
export function nodeAt(root: SourceNode, path: KeyPath): SourceNode {
  let node = root;
  for (const step of path) {
    const next = node.kind === "table"
      ? node.entries.get(String(step))?.node
      : node.kind === "list"
      ? node.items[Number(step)]
      : undefined;
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

/** A scalar with a text. */
export type TextNode = ScalarNode & { value: string };

/** The text node of `key`, or undefined. */
export function textNode(table: TableNode | undefined, key: string): TextNode | undefined {
  const node = child(table, key);
  return node !== undefined && isTextNode(node) ? node : undefined;
}

/** The value of `key`, or `fallback` if it is absent or not a boolean. */
export function booleanOf(table: TableNode | undefined, key: string, fallback: boolean): boolean {
  const node = child(table, key);
  return node?.kind === "scalar" && typeof node.value === "boolean" ? node.value : fallback;
}

/** Whether a node is a scalar with a text. */
export function isTextNode(node: SourceNode): node is TextNode {
  return node.kind === "scalar" && !node.poisoned && typeof node.value === "string";
}

/** The tree as plain data, for the schema. */
export function plainValue(node: SourceNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plainValue);
  const plain: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    // Assigning to this name would set the prototype; it is never a valid key.
    if (key !== "__proto__") plain[key] = plainValue(entry.node);
  }
  return plain;
}

/** A path as text: `sites[0].proxy.headers.add."X A"`. */
export function formatPath(path: KeyPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += `${text === "" ? "" : "."}${/^[A-Za-z0-9_-]+$/.test(step) ? step : JSON.stringify(step)}`;
  }
  return text;
}
