/**
 * Values of header fields with placeholders.
 *
 * @module
 */

import type { Exchange } from "./exchange.ts";
import type { Stage } from "./placeholder_values.ts";
import { type NamedParts, PlaceholderText } from "./placeholders.ts";

/** A value that is made for each exchange. Immutable. */
export class FieldText {
  readonly #text: PlaceholderText;

  constructor(text: PlaceholderText) {
    this.#text = text;
  }

  /**
   * The value in an exchange: of one line, with one character for each byte; empty where nothing is known.
   *
   * @param parts Named parts of a path.
   */
  value(exchange: Exchange, parts?: NamedParts): string {
    const text = this.#text.text(exchange, parts).trim();
    return OTHER.test(text) ? cleaned(text) : text;
  }
}

/** Header lines with values that are made for each exchange. */
export type FieldTexts = readonly (readonly [name: string, text: FieldText])[];

/**
 * A value as it is sent, or one that is made for each exchange where it has placeholders.
 *
 * @throws {SyntaxError} When it has a placeholder that is not known at this stage.
 */
export function fieldText(source: string, stage: Stage, parts?: readonly string[]): string | FieldText {
  const text = new PlaceholderText(source, { stage, parts, keepsUnknown: true });
  return text.fixed ?? new FieldText(text);
}

/** The lines of a table whose values are fixed, and those with placeholders. */
export function fieldTexts(
  entries: readonly (readonly [name: string, value: string])[],
  stage: Stage,
  parts?: readonly string[],
): { lines: string[]; made: FieldTexts } {
  const lines: string[] = [];
  const made: [string, FieldText][] = [];
  for (const [name, value] of entries) {
    const text = fieldText(value, stage, parts);
    if (typeof text === "string") lines.push(name, text);
    else made.push([name, text]);
  }
  return { lines, made };
}

// deno-lint-ignore no-control-regex
const OTHER = /[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/;
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** Names of users are the client's text: without control characters, which would begin another line (RFC 9110, section 5.5). */
function cleaned(text: string): string {
  const shown = text.replace(CONTROLS, "");
  // deno-lint-ignore no-control-regex
  return /[^\x00-\xff]/.test(shown) ? String.fromCharCode(...new TextEncoder().encode(shown)) : shown;
}
