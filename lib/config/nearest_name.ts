/**
 * Finds the valid name that is nearest to a misspelt one.
 *
 * @module
 */

// @ts-types="../../types/std/levenshtein-distance.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

const MAX_NAME_LENGTH = 64;
const MAX_CANDIDATES = 500;

/**
 * The candidate with the smallest edit distance to `name`, if the distance is at most a third of the name's length, or 1. The
 * first of several equal candidates is returned.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > MAX_CANDIDATES) break;
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** "one of" and the quoted names, or the only one; long lists are cut. */
export function oneOf(names: readonly string[]): string {
  const shown = names.slice(0, 12).map((name) => JSON.stringify(name)).join(", ");
  if (names.length === 1) return shown;
  return `one of ${shown}${names.length > 12 ? ` and ${names.length - 12} more` : ""}`;
}

/** Number of single insertions, deletions and replacements that turn `a` into `b`; a swap of two neighbours counts as one. */
function editDistance(a: string, b: string): number {
  return isSwap(a, b) ? 1 : levenshteinDistance(a, b);
}

// Swapped characters are the most frequent mistake: without this rule one of twelve mistakes is not recognized.
function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}
