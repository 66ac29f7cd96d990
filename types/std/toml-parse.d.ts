/**
 * Types of what is used of `@std/toml/parse`: the package that it comes from has none.
 *
 * @module
 */

/**
 * Reads TOML.
 *
 * @throws {Error} It is no TOML.
 */
export function parse(text: string): Record<string, unknown>;
