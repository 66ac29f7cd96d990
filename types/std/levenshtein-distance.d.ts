/**
 * Types of what is used of `@std/text/levenshtein-distance`: the package that it comes from has none.
 *
 * @module
 */

/** Number of single insertions, deletions and replacements that turn one text into the other. */
export function levenshteinDistance(a: string, b: string): number;
