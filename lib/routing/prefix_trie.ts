/**
 * Prefix routes as a trie of segments. A search costs one hash look-up for each segment that some route has in common
 * with the path, however many routes there are, and stops where no route continues.
 *
 * @module
 */

import type { RouteMatch } from "./route.ts";
import { RouteEntry } from "./route_entry.ts";

interface PrefixNode<T> {
  /** Routes of this path, without a trailing slash. */
  at: RouteEntry<T> | undefined;
  /** Routes of this path with a trailing slash: they match what is below. */
  below: RouteEntry<T> | undefined;
  children: Map<string, PrefixNode<T>> | undefined;
}

/** Finds the longest prefix whose routes accept the method. */
export class PrefixTrie<T> {
  readonly #root: PrefixNode<T> = { at: undefined, below: undefined, children: undefined };
  /** Length of the longest segment of any route: longer segments of a path need no look-up. */
  #maxSegmentLength = 0;

  /**
   * Adds a route; routes must come in file order.
   *
   * @param path Path of the route in match form; begins with `/`.
   */
  add(path: string, match: RouteMatch<T>): void {
    const segments = path.slice(1).split("/");
    const below = segments[segments.length - 1] === "";
    if (below) segments.pop();
    let node = this.#root;
    for (const segment of segments) {
      this.#maxSegmentLength = Math.max(this.#maxSegmentLength, segment.length);
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) {
        child = { at: undefined, below: undefined, children: undefined };
        node.children.set(segment, child);
      }
      node = child;
    }
    if (below) (node.below ??= new RouteEntry()).add(match);
    else (node.at ??= new RouteEntry()).add(match);
  }

  /**
   * The route of the longest prefix of `path` that accepts `method`, or undefined.
   *
   * @param path A match path; begins with `/`.
   * @param missed Receives the entries, shortest prefix first, that match the path but not the method.
   */
  find(path: string, method: string, missed: RouteEntry<T>[]): RouteMatch<T> | undefined {
    let best: RouteMatch<T> | undefined;
    let node = this.#root;
    let from = 1;
    while (true) {
      // `path` continues after this node with a slash at `from - 1`.
      if (node.below !== undefined) best = accepting(node.below, method, missed) ?? best;
      if (node.children === undefined) return best;
      const slash = path.indexOf("/", from);
      const end = slash === -1 ? path.length : slash;
      const child = this.#childAt(node.children, path, from, end);
      if (child === undefined) return best;
      if (child.at !== undefined) best = accepting(child.at, method, missed) ?? best;
      if (slash === -1) return best;
      node = child;
      from = slash + 1;
    }
  }

  /** The child for a segment as it is, else for the segment without its path parameters. */
  #childAt(
    children: Map<string, PrefixNode<T>>,
    path: string,
    from: number,
    end: number,
  ): PrefixNode<T> | undefined {
    const child = end - from > this.#maxSegmentLength ? undefined : children.get(path.slice(from, end));
    if (child !== undefined) return child;
    const name = path.indexOf(";", from);
    if (name === -1 || name >= end || name - from > this.#maxSegmentLength) return undefined;
    return children.get(path.slice(from, name));
  }
}

function accepting<T>(entry: RouteEntry<T>, method: string, missed: RouteEntry<T>[]): RouteMatch<T> | undefined {
  const match = entry.accepting(method);
  if (match === undefined) missed.push(entry);
  return match;
}
