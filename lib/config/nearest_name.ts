/**
 * Finds the valid name that somebody probably meant.
 *
 * @module
 */

const MAX_NAME_LENGTH = 64;
const MAX_CANDIDATES = 500;

/**
 * The candidate with the smallest edit distance to `name`, if that is small enough to be a slip of the finger: a third
 * of the name's length, but at least 1. The first of several equals wins.
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

/** Number of single insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforePrevious[j - 2] + 1);
      }
      row.push(cost);
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length];
}
