/**
 * Text tables that fit the width of a terminal.
 *
 * @module
 */

import { paint, type Style } from "../terminal.ts";

/** Text with a style. */
export interface Cell {
  /** The text. */
  readonly text: string;
  /** The style, used where colours are wanted. */
  readonly style?: Style | undefined;
}

/** A column. */
export interface Column<Row> {
  /** Its heading. */
  readonly title: string;
  /** Whether to align to the right, for numbers. */
  readonly right?: boolean;
  /** If there is no room, columns with a higher number are left out first; columns with 0 always stay. */
  readonly leaves: number;
  /** The cell of a row. */
  readonly cell: (row: Row) => Cell;
}

/** Options of {@linkcode tableLines}. */
export interface TableOptions {
  /** Maximum number of characters on a line. */
  readonly width: number;
  /** Whether to use colours. */
  readonly colored: boolean;
}

const GAP = 2;
const LEAST_CUT = 12;

/**
 * A heading and a line for each row. If there is no room, columns are left out, then the widest one is cut.
 *
 * @param rows All rows, so that widths do not change when only some rows are shown.
 */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions,
): string[] {
  const { width, colored } = options;
  const cells = rows.map((row) => columns.map((column) => printableCell(column.cell(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => line[index].text.length))
  );
  const shown = columnsWithRoom(columns, widths, width);
  const line = (texts: readonly Cell[]) =>
    shown.map((index) => aligned(texts[index], widths[index], columns[index].right === true, colored)).join(
      " ".repeat(GAP),
    );
  return [line(columns.map(({ title }) => ({ text: title, style: "dim" }))), ...cells.map(line)];
}

/** Cuts a text without styles to `width`, and removes characters that could move the cursor. */
export function fitted(text: string, width: number): string {
  const safe = printable(text);
  return safe.length <= width ? safe : `${safe.slice(0, Math.max(0, width - 1))}…`;
}

// Changes `widths` when the last columns have to be cut.
function columnsWithRoom<Row>(columns: readonly Column<Row>[], widths: number[], width: number): number[] {
  let shown = columns.map((_, index) => index);
  const used = () => shown.reduce((sum, index) => sum + widths[index], 0) + GAP * (shown.length - 1);
  const leaving = shown.filter((index) => columns[index].leaves > 0)
    .sort((a, b) => columns[b].leaves - columns[a].leaves);
  for (const index of leaving) {
    if (used() <= width) return shown;
    shown = shown.filter((other) => other !== index);
  }
  const widest = shown.reduce((found, index) => widths[index] > widths[found] ? index : found, shown[0]);
  widths[widest] = Math.max(Math.min(LEAST_CUT, widths[widest]), widths[widest] - Math.max(0, used() - width));
  return shown;
}

function aligned({ text, style }: Cell, width: number, right: boolean, colored: boolean): string {
  const cut = fitted(text, width);
  const space = " ".repeat(width - cut.length);
  const painted = style === undefined ? cut : paint(colored, style, cut);
  return right ? space + painted : painted + space;
}

function printableCell({ text, style }: Cell): Cell {
  return { text: printable(text), style };
}

/** Replaces characters that could move the cursor: paths and causes come from clients and upstreams. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
