/**
 * The values of TOML, read by `@std/toml`.
 *
 * They are read apart from their keys. Of whole files, `@std/toml` refuses valid ones, such as `[sites.proxy]` below
 * `[[sites.proxy.upstreams]]`, and takes a time that grows with the square of a table's keys.
 *
 * @module
 */

// @ts-types="../../types/std/toml-parse.d.ts"
import { parse } from "@std/toml/parse";

/** What stands in place of a value that cannot be read. */
export const UNREADABLE = Symbol("unreadable");

/**
 * Reads values, as lists read by far the quickest.
 *
 * @param raws Each value as it is written, quotes included.
 * @returns Values in the same order, {@linkcode UNREADABLE} for those that are no TOML to it.
 */
export function readValues(raws: readonly string[]): unknown[] {
  try {
    // A line end is "\n" in texts, whatever it is in the file (TOML, section "String")
    const { values } = parse(`values = [${raws.join(",")}]`.replaceAll("\r\n", "\n"));
    if (Array.isArray(values) && values.length === raws.length) return values;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  if (raws.length < 2) return raws.map(() => UNREADABLE);
  // One of them is at fault: all others are still read
  const middle = raws.length >> 1;
  return [...readValues(raws.slice(0, middle)), ...readValues(raws.slice(middle))];
}

/** Whether two parsers have read the same value. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  // NaN is itself here, and -0 is 0
  return a === b || Object.is(a, b);
}
