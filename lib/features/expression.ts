/**
 * Regular expressions of the config that are matched with text of clients: without backtracking, so that no text takes long.
 *
 * @module
 */

import { RE2JS } from "re2js";

/**
 * An expression in JavaScript's syntax, without back references and without looking ahead or behind.
 *
 * @throws {SyntaxError} When it is malformed.
 */
export function linearExpression(source: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(source));
  } catch (error) {
    throw new SyntaxError((error as Error).message, { cause: error });
  }
}
