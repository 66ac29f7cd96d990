/**
 * Values of clients and upstreams in lines of text: what could forge a line or control a terminal is escaped.
 *
 * @module
 */

/** A value for a line of text, with control characters and backslashes escaped as `\xNN`. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return /[\x00-\x1f\x7f-\x9f\\]/.test(text)
    // deno-lint-ignore no-control-regex
    ? text.replace(/[\x00-\x1f\x7f-\x9f\\]/g, (char) => "\\x" + char.charCodeAt(0).toString(16).padStart(2, "0"))
    : text;
}

// Control characters, line separators (NEL, U+2028, U+2029) and marks that change the writing direction.
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const ALL_CONTROLS = new RegExp(CONTROLS, "g");
/** Characters that stand for themselves in a JSON string and in any line. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** `line` with control characters escaped as `\uNNNN`, which in a JSON string is the same character. */
export function withoutControls(line: string): string {
  if (!CONTROLS.test(line)) return line;
  return line.replace(ALL_CONTROLS, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** `text` as a JSON string, without control characters. */
export function jsonString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : withoutControls(JSON.stringify(text));
}

/**
 * A value in a line of text, or `-` without one: control characters, backslashes and quotes are escaped as `\xNN`, other
 * characters that could change the line as `\uNNNN`.
 */
export function plainText(value: string): string {
  if (value === "") return "-";
  return PLAIN.test(value) ? value : withoutControls(printable(value).replaceAll('"', "\\x22"));
}
