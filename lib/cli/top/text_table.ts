/**
 * Tables for terminals: as wide as they may be, and no wider.
 *
 * @module
 */

import { paint, type Style } from "../terminal.ts";

/** Text and how it looks. */
export interface Cell {
  /** What stands there. */
  readonly text: string;
  /** How it looks, where colours are wanted. */
  readonly style?: Style | undefined;
}

/** A column. */
export interface Column<Row> {
  /** Its heading. */
  readonly title: string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** Columns with a higher number go first when there is no room; 0 stays. */
  readonly leaves: number;
  /** The cell of a row. */
  readonly cell: (row: Row) => Cell;
}

/** Options of {@linkcode tableLines}. */
export interface TableOptions {
  /** Most characters on a line. */
  readonly width: number;
  /** Whether to use colours. */
  readonly colored: boolean;
}

const GAP = 2;
const LEAST_CUT = 12;

/**
 * A heading and a line for each row. Columns that find no room are left out, then the widest one is cut.
 *
 * @param rows All rows, so that columns do not jump when some of them are shown only.
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

/** Cuts a text without styles to `width`, and takes out what could move the cursor. */
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

/** Replaces what could move the cursor: paths and causes come from outside. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
