/**
 * Collects the problems of one config. It has the lines of the file, so that callers pass only a position, and it drops
 * a second report of the same mistake.
 *
 * @module
 */

import { HiddenValues } from "./hidden_values.ts";
import type { Problem } from "./problem.ts";
import { isSecret, maskLine, withoutUsers } from "./secret_names.ts";
import { formatPath, type KeyPath, type Place, type ScalarNode, type SourceNode } from "./source_tree.ts";

/** A mistake as callers report it. */
export interface ProblemDetails {
  /** What was found. */
  readonly message: string;
  /** What was expected. */
  readonly expected?: string;
  /** The nearest valid name or text. */
  readonly suggestion?: string;
}

/** Maximum number of problems; more would not help, but would be sent, logged and shown. */
const MAX_PROBLEMS = 1000;

/** The problems and warnings of one config. Owned by the parse of that config. */
export class ProblemList {
  readonly #file: string;
  readonly #lines: readonly string[];
  readonly #lenient: boolean;
  readonly #errors: Problem[] = [];
  readonly #warnings: Problem[] = [];
  readonly #masked = new Map<number, string>();
  readonly #hidden = new HiddenValues();
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
    if (this.#errors.length < MAX_PROBLEMS) this.#errors.push(this.#problem("error", place, details));
  }

  /** Reports a warning. */
  warning(place: Place, details: ProblemDetails): void {
    if (this.#warnings.length < MAX_PROBLEMS) this.#warnings.push(this.#problem("warning", place, details));
  }

  /** Reports a key that the schema does not know: an error, or a warning where the config is read leniently. */
  unknownKey(place: Place, details: ProblemDetails): void {
    if (this.#lenient) this.warning(place, details);
    else this.error(place, details);
  }

  /** Replaces `value` by `shown` in all problems that are added from now on. */
  hide(value: string, shown: string): void {
    this.#hidden.add(value, shown);
  }

  #problem(severity: Problem["severity"], place: Place, details: ProblemDetails): Problem {
    const { line = 0, column = 0, length = 0 } = place.span ?? {};
    const { message, expected, suggestion } = details;
    return {
      severity,
      file: this.#file,
      line,
      column,
      length,
      sourceLine: this.#sourceLine(line),
      path: formatPath(place.path),
      message: this.#mask(message),
      ...(expected === undefined ? {} : { expected: this.#mask(expected) }),
      // A suggestion similar to the value would disclose most of it.
      ...(suggestion === undefined || isSubstituted(place) ? {} : { suggestion: this.#mask(suggestion) }),
    };
  }

  #mask(text: string): string {
    return withoutUsers(this.#hidden.mask(text));
  }

  #sourceLine(line: number): string {
    let masked = this.#masked.get(line);
    if (masked === undefined) this.#masked.set(line, masked = maskLine(this.#lines[line - 1] ?? ""));
    return masked;
  }
}

/**
 * The value of a node, worded to fit after "is"; secrets and long texts are not shown.
 *
 * @param tooShort Whether the text is too short: of a secret only this may be shown.
 */
export function describeNode(node: SourceNode, tooShort = false): string {
  if (node.kind === "table") return "a table";
  if (node.kind === "list") return node.items.length === 0 ? "an empty list" : "a list";
  const { value, substituted } = node;
  if (isSecret(typeof value === "string" ? value : "", node.path) && value !== "") {
    return tooShort ? "too short (not shown)" : "not shown";
  }
  if (substituted !== undefined) return `${quoted(node)} (not shown)`;
  if (typeof value === "string") return quoted(node);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof Date) return "a date";
  return value === null ? "null" : `a ${typeof value}`;
}

/** A text for messages: in quotes and cut, with the names of variables in place of their values. */
export function quoted({ value, substituted }: ScalarNode): string {
  const shown = substituted ?? String(value);
  // A single variable needs no quotes.
  if (substituted !== undefined && /^\$\{[^}]*\}$/.test(substituted)) return substituted;
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 79)}…` : shown);
}

/** The last key of a path, with its index: `routes[1]`. A key chosen by the user follows the name of its table. */
export function shortName(path: KeyPath): string {
  const last = Math.max(path.findLastIndex((step) => typeof step === "string"), 0);
  const free = typeof path[last] === "string" && !/^[a-z_]+$/.test(path[last]);
  return formatPath(path.slice(free ? Math.max(last - 1, 0) : last));
}

/** The position of the other one of two, for messages: " (line 3)", or nothing for objects. */
export function lineOf(place: Place): string {
  return place.span === undefined ? "" : ` (line ${place.span.line})`;
}

function isSubstituted(place: Place): boolean {
  return "substituted" in place && place.substituted !== undefined;
}

function byPlace(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
