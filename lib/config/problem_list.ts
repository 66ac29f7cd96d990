/**
 * Collects the problems of one config. It knows the file's lines, so that callers only name a place, and it keeps one
 * mistake from being reported twice.
 *
 * @module
 */

import type { Problem } from "./problem.ts";
import { formatPath, type KeyPath, type Place, type SourceNode } from "./source_tree.ts";

/** What a caller says about a mistake. */
export interface ProblemDetails {
  /** What was found. */
  readonly message: string;
  /** What was expected. */
  readonly expected?: string;
  /** The nearest valid name or text. */
  readonly suggestion?: string;
}

/** The problems and warnings of one config. Lives as long as the parse of that config. */
export class ProblemList {
  readonly #file: string;
  readonly #lines: readonly string[];
  readonly #lenient: boolean;
  readonly #errors: Problem[] = [];
  readonly #warnings: Problem[] = [];
  readonly #masked = new Map<number, string>();
  readonly #reported = new Set<string>();

  /**
   * @param file Name of the file; empty for objects.
   * @param lines Lines of the file; empty for objects.
   * @param options `lenient` makes unknown keys warnings.
   */
  constructor(file: string, lines: readonly string[], options: { lenient?: boolean } = {}) {
    this.#file = file;
    this.#lines = lines;
    this.#lenient = options.lenient ?? false;
  }

  /** Errors in the order of the file. */
  get errors(): Problem[] {
    return this.#errors.toSorted(byPlace);
  }

  /** Warnings in the order of the file. */
  get warnings(): Problem[] {
    return this.#warnings.toSorted(byPlace);
  }

  /** Reports an error, unless one was reported at this path already; with `repeat`, in any case. */
  error(place: Place, details: ProblemDetails, options: { repeat?: boolean } = {}): void {
    const path = formatPath(place.path);
    if (path !== "" && !options.repeat && this.#reported.has(path)) return;
    this.#reported.add(path);
    this.#errors.push(this.#problem("error", place, details));
  }

  /** Reports a warning. */
  warning(place: Place, details: ProblemDetails): void {
    this.#warnings.push(this.#problem("warning", place, details));
  }

  /** Reports a key that the schema does not know: an error, or a warning where the config is read leniently. */
  unknownKey(place: Place, details: ProblemDetails): void {
    if (this.#lenient) this.warning(place, details);
    else this.error(place, details);
  }

  #problem(severity: Problem["severity"], place: Place, details: ProblemDetails): Problem {
    const { line = 0, column = 0, length = 0 } = place.span ?? {};
    return {
      severity,
      file: this.#file,
      line,
      column,
      length,
      sourceLine: this.#sourceLine(line),
      path: formatPath(place.path),
      ...details,
    };
  }

  #sourceLine(line: number): string {
    let masked = this.#masked.get(line);
    if (masked === undefined) this.#masked.set(line, masked = maskSecret(this.#lines[line - 1] ?? ""));
    return masked;
  }
}

/**
 * What a node holds, in words that fit after "is"; secrets and long texts are not shown.
 *
 * @param tooShort Whether that is what is wrong with a text: of a secret it is all that may be told.
 */
export function describeNode(node: SourceNode, tooShort = false): string {
  if (node.kind === "table") return "a table";
  if (node.kind === "list") return node.items.length === 0 ? "an empty list" : "a list";
  const value = node.value;
  if (SECRETS.includes(String(node.path.at(-1))) && value !== "") {
    return tooShort ? "too short (not shown)" : "not shown";
  }
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}…` : value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof Date) return "a date";
  return value === null ? "null" : `a ${typeof value}`;
}

/** The last key of a path, with the index behind it: `routes[1]`. Keys that are no names of ours follow their table's. */
export function shortName(path: KeyPath): string {
  const last = Math.max(path.findLastIndex((step) => typeof step === "string"), 0);
  const free = typeof path[last] === "string" && !/^[a-z_]+$/.test(path[last]);
  return formatPath(path.slice(free ? Math.max(last - 1, 0) : last));
}

/** Where the other of two stands, for messages: " (line 3)", or nothing for objects. */
export function lineOf(place: Place): string {
  return place.span === undefined ? "" : ` (line ${place.span.line})`;
}

/** Keys whose values are never shown. */
export const SECRETS: readonly string[] = ["api_key", "secret"];

/** Hides a literal key, so that logs of a refused config do not hold it; the line keeps its length. */
function maskSecret(line: string): string {
  return line.replace(
    /(\b(?:api_key|secret)["']?\s*=\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#,}]+)/,
    (whole: string, head: string, value: string) => value.includes("${") ? whole : head + "*".repeat(value.length),
  );
}

function byPlace(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
