/**
 * Finds all syntax errors of a TOML text, although the parser stops at the first one: an invalid line is replaced by a valid
 * one and the parse starts again, but only if the mistake is known to end with its line; otherwise one mistake would be
 * reported as many.
 *
 * @module
 */

import { type AST, ParseError, parseTOML } from "toml-eslint-parser";
import type { ProblemDetails, ProblemList } from "./problem_list.ts";
import { foreignFile, foreignLine } from "./foreign_syntax.ts";
import { mentionsSecret } from "./secret_names.ts";
import type { Span } from "./source_tree.ts";

/** A syntax tree, and the changes of the text that were necessary. */
export interface RecoveredToml {
  readonly program: AST.TOMLProgram;
  /** The text of the last parse; line numbers are those of the original. */
  readonly text: string;
  /** Lines whose value was replaced. */
  readonly brokenLines: ReadonlySet<number>;
  /** Whether parts were left out, so that a key that seems to be missing may be in the file. */
  readonly incomplete: boolean;
  /** Root keys of tables whose header was replaced, because they were defined twice. */
  readonly skippedTables: ReadonlySet<string>;
}

const MAX_ATTEMPTS = 40;
// Each attempt parses the file up to three times.
const MAX_RECOVERABLE_LENGTH = 100_000;

const KEY = /^\s*(?:[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*'))*/;

/** Parses `text` and reports each syntax error. Undefined if the rest cannot be parsed. */
export function parseWithRecovery(text: string, problems: ProblemList): RecoveredToml | undefined {
  const lines = text.split("\n");
  const brokenLines = new Set<number>();
  const skippedTables = new Set<string>();
  let incomplete = false;
  const triesOfLine = new Map<number, number>();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const current = attempt === 0 ? text : lines.join("\n");
    const result = tryParse(current);
    if (!(result instanceof Error)) {
      return { program: result, text: current, brokenLines, incomplete, skippedTables };
    }
    if (!(result instanceof ParseError)) {
      problems.error({ path: [], span: { line: 1, column: 1, length: 1 } }, {
        message: "the file cannot be parsed: it nests too deep or holds a text that is too long",
      });
      return undefined;
    }
    const foreign = attempt === 0 ? foreignFile(text) : undefined;
    if (foreign !== undefined) {
      const { details, ...span } = foreign;
      problems.error({ path: [], span }, details);
      return undefined;
    }
    const { line, column } = placeOf(result, lines);
    const tries = triesOfLine.get(line) ?? 0;
    triesOfLine.set(line, tries + 1);
    const local = startsStatement(lines, line);
    // After a replaced line, an error in the middle of a statement is most likely a result of the replacement.
    if (tries === 0 && (attempt === 0 || local)) {
      const early = isDuplicate(result) ? earlyTable(lines, line) : undefined;
      if (early !== undefined) reportEarlyTable(early, line, problems);
      else reportSyntaxError(result, { line, column, text: lines[line - 1] ?? "" }, problems);
    }
    if (!local || tries > 1 || text.length > MAX_RECOVERABLE_LENGTH) return undefined;
    const repaired = repair(lines[line - 1], { error: result, line, column }, tries);
    if (repaired === undefined) return undefined;
    lines[line - 1] = repaired;
    brokenLines.add(line);
    if (repaired.startsWith("[bws-skipped-")) skippedTables.add(repaired.slice(1, -1));
    incomplete ||= repaired.startsWith("[bws-skipped-") || (repaired === "" && !isDuplicate(result));
  }
  return undefined;
}

function tryParse(text: string): AST.TOMLProgram | Error {
  try {
    return parseTOML(text);
  } catch (error) {
    // Besides its own errors, the parser throws a stack overflow for very long strings.
    if (error instanceof ParseError || error instanceof RangeError) return error;
    throw error;
  }
}

/** Whether a statement begins on this line: all before it parses alone. Duplicates are found last, and do not count. */
function startsStatement(lines: readonly string[], line: number): boolean {
  if (line === 1) return true;
  const before = tryParse(lines.slice(0, line - 1).join("\n"));
  return !(before instanceof Error) || isDuplicate(before);
}

/** A valid line in place of an invalid one, or undefined if the mistake may extend beyond the line. */
function repair(
  text: string,
  at: { error: ParseError; line: number; column: number },
  tries: number,
): string | undefined {
  if (tries > 0) return text.trimStart().startsWith("[") ? undefined : "";
  if (count(text, "[") !== count(text, "]") || count(text, "{") !== count(text, "}") || /"""|'''/.test(text)) {
    return repairHeader(text);
  }
  if (isDuplicate(at.error)) {
    if (/^\s*\[/.test(text)) return `[bws-skipped-${at.line}]`;
    // The duplicate is the key itself, or a key in an inline table after it.
    if (at.column < (KEY.exec(text)?.[0].length ?? 0)) return "";
  }
  const key = KEY.exec(text)?.[0];
  return key === undefined ? repairHeader(text) : `${key} = 0`;
}

/** A header with corrected brackets, so that the keys below it are still read. */
function repairHeader(line: string): string | undefined {
  const match = /^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)[\]\s]*$/.exec(line);
  if (match === null) return undefined;
  return match[1] === "[[" || line.includes("]]") ? `[[${match[2]}]]` : `[${match[2]}]`;
}

function count(line: string, char: string): number {
  return line.split(char).length - 1;
}

function isDuplicate(error: Error): boolean {
  return error.message.includes("multiple times");
}

/** The position of a syntax error. For a line that ends too early, the parser reports the next line that is not empty. */
function placeOf(error: ParseError, lines: readonly string[]): { line: number; column: number } {
  let line = Math.min(error.lineNumber, lines.length);
  if (!isCutShort(error)) return { line, column: error.column };
  do line--; while (line > 1 && lines[line - 1].trim() === "");
  return { line: Math.max(line, 1), column: lines[Math.max(line, 1) - 1].trimEnd().length };
}

function isCutShort(error: ParseError): boolean {
  return error.message.includes("must be on the same line");
}

/** A header of a table in a list before the list has begun, such as `[sites.proxy]` above the first `[[sites]]`. */
interface EarlyTable {
  readonly list: string;
  readonly header: string;
  readonly span: Span;
}

function earlyTable(lines: readonly string[], line: number): EarlyTable | undefined {
  const list = /^\s*\[\[\s*([A-Za-z0-9_-]+)\s*\]\]/.exec(lines[line - 1])?.[1];
  if (list === undefined) return undefined;
  for (const [index, text] of lines.slice(0, line - 1).entries()) {
    const match = /^(\s*)(\[\[?\s*([A-Za-z0-9_-]+)\s*\.[^\]]*\]\]?)/.exec(text);
    if (match?.[3] !== list) continue;
    return { list, header: match[2], span: { line: index + 1, column: match[1].length + 1, length: match[2].length } };
  }
  return undefined;
}

function reportEarlyTable({ list, header, span }: EarlyTable, line: number, problems: ProblemList): void {
  problems.error({ path: [list], span }, {
    message: `${header} stands above the first [[${list}]] (line ${line})`,
    expected: `[[${list}]] first: the tables below it belong to it`,
  });
}

function reportSyntaxError(
  error: ParseError,
  at: { line: number; column: number; text: string },
  problems: ProblemList,
): void {
  const column = Math.min(at.column, at.text.length);
  const rest = at.text.slice(column).replace(/\r$/, "");
  const word = isDuplicate(error) ? KEY : error.message.includes("escape") ? /^./u : /^(?:[^\s,=\[\]{}#"']+|.)/u;
  const found = word.exec(rest)?.[0] ?? "";
  const span = { line: at.line, column: column + 1, length: Math.max(1, found.length) };
  const slip = isDuplicate(error) ? undefined : foreignLine(at.text, column, found);
  problems.error({ path: [], span }, slip ?? explain(error, found, at.text));
}

/** The messages of the parser, reworded. */
function explain(error: ParseError, found: string, line: string): ProblemDetails {
  // An API key written without quotes would otherwise be in the message.
  const shown = mentionsSecret(line) ? "something" : JSON.stringify(found);
  const what = found === "" ? "the line ends" : `found ${shown}`;
  const message = error.message;
  if (isDuplicate(error)) return { message: `${found} is defined twice`, expected: "each key and table once" };
  const header = line.trimStart().startsWith("[");
  if (message.includes("table-key") || (isCutShort(error) && header)) {
    return { message: what, expected: "a closing bracket of the table's name" };
  }
  if (message.includes("Unspecified values") || isCutShort(error)) {
    return { message: "a value is missing", expected: VALUE };
  }
  if (message.includes("string constant")) return { message: "a text has no end", expected: "a closing quote" };
  if (message.includes("Unterminated array")) return { message: "a list has no end", expected: '"]"' };
  if (message.includes("inline table")) return { message: "an inline table has no end", expected: '"}"' };
  if (message.includes("equal")) return { message: what, expected: '"=" after the key' };
  if (message.includes("comma")) return { message: what, expected: '"," between values' };
  if (message.includes("newline")) return { message: what, expected: "the end of the line" };
  if (message.includes("escape")) {
    return { message: "an unknown escape in a text", expected: "a known one such as \\n, or 'single quotes'" };
  }
  if (/^Unexpected/.test(message)) return { message: what, expected: `a key, a table's [name], or ${VALUE}` };
  return { message: message.charAt(0).toLowerCase() + message.slice(1) };
}

const VALUE = "a value: text in quotes, a number, true, false, a list or a table";
