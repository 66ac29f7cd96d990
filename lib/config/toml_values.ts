/**
 * The values of TOML, read by `@std/toml`.
 *
 * Values are read without their keys, since `@std/toml` refuses some valid files, such as `[sites.proxy]` below
 * `[[sites.proxy.upstreams]]`, and needs a time that grows with the square of the number of keys of a table.
 *
 * @module
 */

// @ts-types="../../types/std/toml-parse.d.ts"
import { parse } from "@std/toml/parse";

/** Replaces a value that cannot be read. */
export const UNREADABLE = Symbol("unreadable");

/**
 * Reads values, as one list, which is by far the fastest.
 *
 * @param raws Each value as it is written, quotes included.
 * @returns Values in the same order, {@linkcode UNREADABLE} for those that `@std/toml` refuses.
 */
export function readValues(raws: readonly string[]): unknown[] {
  try {
    // A line end in a text becomes "\n", whatever it is in the file (TOML, section "String").
    const { values } = parse(`values = [${raws.join(",")}]`.replaceAll("\r\n", "\n"));
    if (Array.isArray(values) && values.length === raws.length) return values;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  if (raws.length < 2) return raws.map(() => UNREADABLE);
  // One value is invalid: the others are still read.
  const middle = raws.length >> 1;
  return [...readValues(raws.slice(0, middle)), ...readValues(raws.slice(middle))];
}

/** Whether two parsers have read the same value. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  // NaN equals NaN here, and -0 equals 0.
  return a === b || Object.is(a, b);
}
