/**
 * A mistake in a config: where it is, what was found, what was expected. {@linkcode formatProblems} formats problems like the
 * messages of a compiler.
 *
 * @module
 */

/** One mistake in a config. */
export interface Problem {
  /** Errors refuse the config, warnings do not. */
  readonly severity: "error" | "warning";
  /** Name of the file, as the caller gave it; empty for configs that were given as objects. */
  readonly file: string;
  /** Line, from 1; 0 for configs that were given as objects. */
  readonly line: number;
  /** Column of the offending text in UTF-16 code units, from 1; 0 for configs that were given as objects. */
  readonly column: number;
  /** Length of the offending text on its line, in UTF-16 code units. */
  readonly length: number;
  /** The line with the offending text; the value of a literal `api_key` is masked. */
  readonly sourceLine: string;
  /** Path of the key, such as `sites[0].proxy.routes[1].upstream`; empty for syntax errors. */
  readonly path: string;
  /** What was found. */
  readonly message: string;
  /** What was expected instead. */
  readonly expected?: string;
  /** The valid name (or text) that is nearest to what was found. */
  readonly suggestion?: string;
}

/** Options of {@linkcode formatProblems}. */
export interface FormatProblemsOptions {
  /**
   * Whether to use ANSI colours.
   *
   * @default {false}
   */
  color?: boolean;
  /**
   * Maximum number of problems to print; the others are counted.
   *
   * @default {100}
   */
  maxProblems?: number;
}

const MAX_EXCERPT_LENGTH = 160;
const BOLD = "\x1b[1m";
const RED = "\x1b[31m";
const YELLOW = "\x1b[33m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";

/**
 * Formats problems, each with its position and, for a config file, its line with the offending text marked. Control
 * characters of the file are replaced, and long lines are cut.
 *
 * @param problems Problems in the order in which to print them.
 * @returns Text without a line break at its end.
 */
export function formatProblems(problems: readonly Problem[], options: FormatProblemsOptions = {}): string {
  const { color = false, maxProblems = 100 } = options;
  const blocks = problems.slice(0, maxProblems).map((problem) => formatProblem(problem, color));
  if (problems.length > maxProblems) blocks.push(`… and ${problems.length - maxProblems} more`);
  return blocks.join("\n");
}

function formatProblem(problem: Problem, color: boolean): string {
  const paint = (style: string, text: string) => color && text !== "" ? `${style}${text}${RESET}` : text;
  const style = problem.severity === "error" ? RED : YELLOW;
  const place = printable(placeOf(problem));
  const label = paint(BOLD + style, `${problem.severity}:`);
  const head = `${place === "" ? "" : `${paint(BOLD, `${place}:`)} `}${label} ${printable(sentenceOf(problem))}`;
  if (problem.line === 0) return head;
  const { text, start, length } = excerptOf(problem);
  const gutter = String(problem.line).padStart(6);
  const indent = text.slice(0, start).replace(/[^\t]/g, " ");
  return [
    head,
    `${paint(DIM, `${gutter} |`)} ${text}`,
    `${paint(DIM, `${" ".repeat(gutter.length)} |`)} ${indent}${paint(style, "^".repeat(length))}`,
  ].join("\n");
}

function placeOf(problem: Problem): string {
  if (problem.line > 0) return `${problem.file}:${problem.line}:${problem.column}`;
  return [problem.file, problem.path].filter((part) => part !== "").join(": ");
}

/** The problem in one sentence, without its position. */
export function sentenceOf(problem: Problem): string {
  const expected = problem.expected === undefined ? "" : `, expected ${problem.expected}`;
  const suggestion = problem.suggestion === undefined ? "" : ` (did you mean ${JSON.stringify(problem.suggestion)}?)`;
  return `${problem.message}${expected}${suggestion}`;
}

/** The problem as fields of a log line, without those that are unknown: an object has no lines. */
export function problemFields(
  { file, line, column, path, message, expected, suggestion }: Problem,
): Record<string, string | number> {
  return {
    ...(file === "" ? {} : { file }),
    ...(line === 0 ? {} : { line, column }),
    ...(path === "" ? {} : { path }),
    problem: message,
    ...(expected === undefined || expected === "" ? {} : { expected }),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** The part of the source line to print, and the position of the offending text in it. */
function excerptOf(problem: Problem): { text: string; start: number; length: number } {
  const line = problem.sourceLine;
  const column = Math.min(problem.column - 1, line.length);
  if (line.length <= MAX_EXCERPT_LENGTH) {
    return {
      text: printable(line),
      start: column,
      length: Math.max(1, Math.min(problem.length, line.length - column)),
    };
  }
  const from = Math.max(0, Math.min(column - 40, line.length - MAX_EXCERPT_LENGTH));
  const cut = line.slice(from, from + MAX_EXCERPT_LENGTH);
  const head = from > 0 ? "…" : "";
  const tail = from + MAX_EXCERPT_LENGTH < line.length ? "…" : "";
  const start = column - from;
  const length = Math.max(1, Math.min(problem.length, cut.length - start));
  return { text: `${head}${printable(cut)}${tail}`, start: start + head.length, length };
}

/** Replaces characters that could move a terminal's cursor; tabs and the length are kept. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
