/**
 * TOML text as a {@linkcode SourceNode} tree. A strict parser finds syntax and positions, and `@std/toml` reads the values; if
 * the two parsers differ, the file is refused.
 *
 * @module
 */

import type { AST } from "toml-eslint-parser";
import { type ProblemList, shortName } from "./problem_list.ts";
import {
  type Entry,
  formatPath,
  type KeyPath,
  MAX_DEPTH,
  type ScalarNode,
  type SourceNode,
  type Span,
  type TableNode,
} from "./source_tree.ts";
import { parseWithRecovery } from "./syntax_recovery.ts";
import { readValues, sameValue } from "./toml_values.ts";

/** The result of {@linkcode readToml}. */
export interface TomlDocument {
  /** The tree, or undefined if it could not be built because of syntax errors. */
  readonly root: TableNode | undefined;
  /** Whether a line was left out, so that a key that seems to be missing may be in the file. */
  readonly incomplete: boolean;
}

/** The context of the walk over the syntax tree. */
interface Reader {
  readonly text: string;
  readonly brokenLines: ReadonlySet<number>;
  readonly problems: ProblemList;
  /** All values, until they are read. */
  readonly scalars: WrittenScalar[];
}

/** A value with its text. */
type WrittenScalar = ScalarNode & { readonly raw: string };

/**
 * Reads TOML. Syntax errors go to `problems`; the rest of the file is still read where that is safe.
 *
 * @param text The file without a byte order mark.
 */
export function readToml(text: string, problems: ProblemList): TomlDocument {
  const parsed = parseWithRecovery(text, problems);
  if (parsed === undefined) return { root: undefined, incomplete: true };
  const reader: Reader = { text: parsed.text, brokenLines: parsed.brokenLines, problems, scalars: [] };
  const root: TableNode = { kind: "table", path: [], entries: new Map(), span: { line: 1, column: 1, length: 1 } };
  for (const statement of parsed.program.body[0].body) {
    if (statement.type === "TOMLKeyValue") addKeyValue(reader, root, statement);
    else if (!parsed.skippedTables.has(String(statement.resolvedKey[0]))) addTable(reader, root, statement);
  }
  takeValues(reader);
  return { root, incomplete: parsed.incomplete };
}

function addTable(reader: Reader, root: TableNode, header: AST.TOMLTable): void {
  const span = headerSpan(header);
  if (header.resolvedKey.length >= MAX_DEPTH) return tooDeep(reader, { path: [], span });
  const keySpans = header.key.keys.map((key) => spanOf(key));
  const target = openTable(root, header.resolvedKey, keySpans);
  // A table that was first named in the header of another one gets the position of its own header.
  target.span = span;
  for (const pair of header.body) addKeyValue(reader, target, pair);
}

/** The table at `steps` below `table`. Missing tables are created, at the position of their name in the header. */
function openTable(table: TableNode, steps: readonly (string | number)[], keySpans: readonly Span[]): TableNode {
  let node: SourceNode = table;
  let depth = -1;
  for (const [index, step] of steps.entries()) {
    if (typeof step === "string") depth++;
    const path = [...table.path, ...steps.slice(0, index + 1)];
    const span = keySpans[depth];
    const fresh = (): SourceNode =>
      typeof steps[index + 1] === "number"
        ? { kind: "list", path, items: [], span }
        : { kind: "table", path, entries: new Map(), span };
    if (node.kind === "table" && typeof step === "string") {
      const entry: Entry = node.entries.get(step) ?? { node: fresh(), keySpan: span };
      node.entries.set(step, entry);
      node = entry.node;
    } else if (node.kind === "list" && typeof step === "number") {
      const item: SourceNode = node.items[step] ?? fresh();
      node.items[step] = item;
      node = item;
    }
  }
  // The parser has refused contradictory keys.
  if (node.kind !== "table") throw new TypeError(`Cannot open table "${formatPath(steps)}": found a ${node.kind}`);
  return node;
}

function addKeyValue(reader: Reader, table: TableNode, pair: AST.TOMLKeyValue): void {
  const keys = pair.key.keys;
  const names = keys.map((key) => key.type === "TOMLBare" ? key.name : key.value);
  const path = [...table.path, ...names];
  if (path.length >= MAX_DEPTH) return tooDeep(reader, { path: [], span: spanOf(pair.key) });
  const keySpans = keys.map((key) => spanOf(key));
  const last = names.length - 1;
  const target = openTable(table, names.slice(0, last), keySpans);
  target.entries.set(names[last], { node: valueNode(reader, pair.value, path), keySpan: keySpans[last] });
}

function valueNode(reader: Reader, content: AST.TOMLContentNode, path: KeyPath): SourceNode {
  const span = spanOf(content, reader.text);
  if (content.type === "TOMLValue") {
    // For a 0 at the end of the file, the parser reports the end as the beginning.
    const raw = reader.text.slice(...content.range) || "0";
    const poisoned = reader.brokenLines.has(span.line);
    const scalar: WrittenScalar = { kind: "scalar", path, span, value: content.value, raw, poisoned };
    if (!poisoned) reader.scalars.push(scalar);
    return scalar;
  }
  if (path.length >= MAX_DEPTH) {
    tooDeep(reader, { path, span });
    return { kind: "scalar", path, span, value: null, poisoned: true };
  }
  if (content.type === "TOMLArray") {
    const items = content.elements.map((element, index) => valueNode(reader, element, [...path, index]));
    return { kind: "list", path, span, items };
  }
  const table: TableNode = { kind: "table", path, span, entries: new Map() };
  for (const pair of content.body) addKeyValue(reader, table, pair);
  return table;
}

/** Sets the values as `@std/toml` reads them; a value that the other parser reads differently is refused. */
function takeValues({ scalars, problems }: Reader): void {
  // Many values of a config are equal.
  const raws = [...new Set(scalars.map((scalar) => scalar.raw))];
  const values = readValues(raws);
  const valueOf = new Map(raws.map((raw, index) => [raw, values[index]]));
  for (const scalar of scalars) {
    const value = valueOf.get(scalar.raw);
    if (sameValue(value, scalar.value)) {
      scalar.value = value;
      continue;
    }
    scalar.poisoned = true;
    problems.error(scalar, {
      message: `readers of TOML do not agree on the value of ${shortName(scalar.path)}`,
      expected: "a plainer way to write it: a character itself instead of its number, a date with T and Z",
    });
  }
}

function tooDeep(reader: Reader, place: { path: KeyPath; span: Span }): void {
  reader.problems.error(place, { message: "tables nest too deep", expected: `fewer than ${MAX_DEPTH} levels` });
}

/** From the first bracket of a header to its last. */
function headerSpan(header: AST.TOMLTable): Span {
  const { line, column } = header.loc.start;
  const brackets = header.kind === "array" ? 2 : 1;
  return { line, column: column + 1, length: header.key.loc.end.column + brackets - column };
}

/** The position of a node; its first line if it spans several lines. */
function spanOf(node: AST.HasLocs, text = ""): Span {
  const { start, end } = node.loc;
  if (start.line === end.line) return { line: start.line, column: start.column + 1, length: end.column - start.column };
  const lineEnd = text.slice(node.range[0], node.range[1]).search(/\r?\n/);
  return { line: start.line, column: start.column + 1, length: Math.max(1, lineEnd) };
}
