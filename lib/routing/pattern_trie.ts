/**
 * Pattern routes as a trie of segments. The search keeps the set of nodes that the path can have reached, one level at
 * a time, so a node is visited at most once and there is no backtracking, whatever the path.
 *
 * @module
 */

import { NAMED, parsePattern } from "./pattern_syntax.ts";
import type { RouteMatch } from "./route.ts";
import { RouteEntry } from "./route_entry.ts";

interface PatternNode<T> {
  children: Map<string, PatternNode<T>> | undefined;
  named: PatternNode<T> | undefined;
  /** Routes that end here. */
  end: RouteEntry<T> | undefined;
  /** Routes that end here with a slash and `*`. */
  rest: RouteEntry<T> | undefined;
  /** Routes that URLPattern matches, in file order. They are tested one after the other. */
  rich: RichPattern<T>[] | undefined;
  /** Smallest file order at or below this node: nodes that cannot precede the route already found are skipped. */
  readonly firstOrder: number;
}

interface RichPattern<T> {
  readonly pattern: URLPattern;
  readonly maxPathLength: number;
  readonly entry: RouteEntry<T>;
  readonly order: number;
}

/**
 * Finds the first pattern in file order that matches.
 *
 * The cost of patterns of literal segments, `:name` segments and a `*` at the end does not grow with their number.
 * Other patterns (with groups, modifiers, or a name within a segment) are tested by URLPattern one after the other, at
 * about 2 µs each, but only those whose leading simple segments match the path.
 */
export class PatternTrie<T> {
  #root: PatternNode<T> = newNode(-1);
  #maxSegmentLength = 0;
  /** Nodes of the current level and of the next; kept to avoid two arrays for each search. */
  #live: PatternNode<T>[] = [];
  #next: PatternNode<T>[] = [];

  /**
   * Adds a route; routes must come in file order.
   *
   * @throws {TypeError} If its path is not a valid pattern.
   */
  add(source: string, match: RouteMatch<T>): void {
    const { segments, tail, maxPathLength } = parsePattern(source);
    let node = this.#root;
    for (const segment of segments) {
      if (segment === NAMED) {
        node = node.named ??= newNode(match.order);
        continue;
      }
      this.#maxSegmentLength = Math.max(this.#maxSegmentLength, segment.length);
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) node.children.set(segment, child = newNode(match.order));
      node = child;
    }
    if (tail === "end") return (node.end ??= new RouteEntry()).add(match);
    if (tail === "rest") return (node.rest ??= new RouteEntry()).add(match);
    const entry = new RouteEntry<T>();
    entry.add(match);
    (node.rich ??= []).push({ pattern: tail, maxPathLength, entry, order: match.order });
  }

  /**
   * The first route in file order whose pattern matches `path` and that accepts `method`, or undefined.
   *
   * @param path A match path; begins with `/`. Dot segments count as segments, but URLPattern resolves them, so they
   * should be resolved before.
   * @param missed Receives the entries that match the path but not the method.
   */
  find(path: string, method: string, missed: RouteEntry<T>[]): RouteMatch<T> | undefined {
    let best: RouteMatch<T> | undefined;
    let live = this.#live;
    let next = this.#next;
    let liveCount = 1;
    live[0] = this.#root;
    for (let from = 1; liveCount > 0;) {
      const slash = path.indexOf("/", from);
      const end = slash === -1 ? path.length : slash;
      const segment = end - from > this.#maxSegmentLength ? undefined : path.slice(from, end);
      let nextCount = 0;
      for (let i = 0; i < liveCount; i++) {
        const node = live[i];
        if (best !== undefined && node.firstOrder > best.order) continue;
        // `path` continues after this node with a slash at `from - 1`.
        if (node.rest !== undefined) best = earlier(best, node.rest, method, missed);
        if (node.rich !== undefined) best = firstRich(best, node.rich, path, method, missed);
        const child = segment === undefined ? undefined : node.children?.get(segment);
        if (child !== undefined) next[nextCount++] = child;
        if (node.named !== undefined && end > from) next[nextCount++] = node.named;
      }
      if (slash === -1) {
        for (let i = 0; i < nextCount; i++) {
          const entry = next[i].end;
          if (entry !== undefined) best = earlier(best, entry, method, missed);
        }
        break;
      }
      [live, next] = [next, live];
      liveCount = nextCount;
      from = slash + 1;
    }
    return best;
  }
}

function newNode<T>(firstOrder: number): PatternNode<T> {
  return { children: undefined, named: undefined, end: undefined, rest: undefined, rich: undefined, firstOrder };
}

/** `best` or the entry's route for `method`, whichever comes first in the file. */
function earlier<T>(
  best: RouteMatch<T> | undefined,
  entry: RouteEntry<T>,
  method: string,
  missed: RouteEntry<T>[],
): RouteMatch<T> | undefined {
  const match = entry.accepting(method);
  if (match === undefined) {
    missed.push(entry);
    return best;
  }
  return best === undefined || match.order < best.order ? match : best;
}

function firstRich<T>(
  best: RouteMatch<T> | undefined,
  rich: readonly RichPattern<T>[],
  path: string,
  method: string,
  missed: RouteEntry<T>[],
): RouteMatch<T> | undefined {
  // URLPattern reads a backslash as a slash; in a request it is an ordinary character.
  const pathname = path.includes("\\") ? path.replaceAll("\\", "%5C") : path;
  for (let i = 0; i < rich.length; i++) {
    const { pattern, maxPathLength, entry, order } = rich[i];
    if (best !== undefined && order > best.order) return best;
    if (pathname.length > maxPathLength || !pattern.test({ pathname })) continue;
    best = earlier(best, entry, method, missed);
  }
  return best;
}
