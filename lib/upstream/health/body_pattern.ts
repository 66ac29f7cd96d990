/**
 * The pattern that the body of a healthy response must match, from `expect_body`. It is matched without backtracking:
 * the body may contain text of clients, and a malicious one could otherwise block the process (ReDoS). Time grows with
 * the size of the body times that of the expression, and both are limited.
 *
 * @module
 */

import { RE2JS } from "re2js";

/** Characters of a body that an expression is matched with; plain text is searched in all that a probe reads. */
export const MATCHED_CHARS = 16 * 1024;

/** Most instructions of an expression: with a body of {@linkcode MATCHED_CHARS}, about 200 ms at worst. */
const PROGRAM_MAX = 150;

/** One expression. Immutable. */
export class BodyPattern {
  /** As in the config. */
  readonly source: string;
  /** Undefined for plain text. */
  readonly #expression: RE2JS | undefined;

  /**
   * @param source A regular expression in JavaScript's syntax, without back references and without looking ahead or
   * behind.
   * @throws {SyntaxError} When the expression is invalid or too large.
   */
  constructor(source: string) {
    this.source = source;
    if (!/[\\^$.*+?()[\]{}|]/.test(source)) return;
    this.#expression = compile(source);
    const size = this.#expression.programSize();
    if (size > PROGRAM_MAX) {
      throw new SyntaxError(`it comes to ${size} steps with its repeats written out, of at most ${PROGRAM_MAX}`);
    }
  }

  /** Why a body does not match; undefined when it does. */
  faultOf(body: string): string | undefined {
    if (this.#expression === undefined) {
      return body.includes(this.source) ? undefined : `the body does not hold "${this.source}"`;
    }
    const found = this.#expression.matcher(body.slice(0, MATCHED_CHARS)).find();
    return found ? undefined : `the body does not match /${this.source}/`;
  }
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(source));
  } catch (error) {
    const reason = (error as Error).message.replace(/^error parsing regexp: /, "");
    throw new SyntaxError(`${reason}${/\(\?[=!<]|\\[k1-9]/.test(source) ? `; ${UNKNOWN}` : ""}`, { cause: error });
  }
}

const UNKNOWN = "back references and looking ahead or behind are not known here";
