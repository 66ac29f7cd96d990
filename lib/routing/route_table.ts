/**
 * The route table of a site, which selects the route of a request. It is compiled once from the config; a look-up costs
 * the same with ten routes and with ten thousand.
 *
 * @module
 */

import { writtenPath } from "./match_path.ts";
import { PatternTrie } from "./pattern_trie.ts";
import { PrefixTrie } from "./prefix_trie.ts";
import type { MethodMismatch, RouteMatch, RouteSpec } from "./route.ts";
import { RouteEntry } from "./route_entry.ts";

/**
 * Finds the route of a request: exact takes precedence over pattern, and pattern over prefix; among patterns the first
 * in the file wins, among prefixes the longest, then the first in the file. A route that does not accept the method is
 * skipped.
 *
 * Immutable once compiled; {@linkcode compileRoutes} creates it.
 */
export class RouteTable<T> {
  readonly #exact = new Map<string, RouteEntry<T>>();
  readonly #patterns = new PatternTrie<T>();
  readonly #prefixes = new PrefixTrie<T>();
  /** Length of the longest exact path: longer paths need no look-up. */
  #maxExactLength = 0;
  #hasPatterns = false;
  /** Entries that matched the path but not the method; empty between calls, kept to avoid an array for each call. */
  readonly #missed: RouteEntry<T>[] = [];

  /** See {@linkcode compileRoutes}. */
  constructor(routes: readonly RouteSpec<T>[]) {
    routes.forEach((route, order) => this.#add({ matched: true, route, target: route.target, order }));
  }

  /**
   * The route that accepts a request.
   *
   * @param path The request's path as `matchPath` returns it, dot segments resolved; begins with `/`.
   * @param method The request's method.
   * @returns The route; a mismatch if routes match the path and none of them accepts the method; undefined if no route
   * matches the path.
   */
  match(path: string, method: string): RouteMatch<T> | MethodMismatch | undefined {
    const missed = this.#missed;
    const match = this.#find(path, method, missed);
    if (missed.length === 0) return match;
    const found = match ?? mismatch(missed);
    missed.length = 0;
    return found;
  }

  #find(path: string, method: string, missed: RouteEntry<T>[]): RouteMatch<T> | undefined {
    if (path.length <= this.#maxExactLength) {
      const entry = this.#exact.get(path);
      const match = entry?.accepting(method);
      if (match !== undefined) return match;
      if (entry !== undefined) missed.push(entry);
    }
    const match = this.#hasPatterns ? this.#patterns.find(path, method, missed) : undefined;
    return match ?? this.#prefixes.find(path, method, missed);
  }

  #add(match: RouteMatch<T>): void {
    const { path, kind, methods } = match.route;
    if (methods?.length === 0) {
      throw new TypeError(`Cannot compile route "${path}": it lists no methods, expected one or more, or no list`);
    }
    if (kind === "pattern") {
      this.#hasPatterns = true;
      this.#patterns.add(path, match);
      return;
    }
    const plain = toMatchForm(path);
    if (kind === "prefix") {
      this.#prefixes.add(plain, match);
      return;
    }
    this.#maxExactLength = Math.max(this.#maxExactLength, plain.length);
    const entry = this.#exact.get(plain) ?? new RouteEntry<T>();
    this.#exact.set(plain, entry);
    entry.add(match);
  }
}

/**
 * Compiles the routes of a site.
 *
 * Paths of the config are converted to match form: unreserved characters are decoded, and characters that cannot occur
 * in a request line (spaces, non-ASCII) are percent-encoded.
 *
 * @param routes Routes in the order of the file.
 * @throws {TypeError} If a path does not begin with `/` or is badly percent-encoded, a pattern is not a URLPattern, or
 * a list of methods is empty.
 *
 * @example
 * ```ts
 * const table = compileRoutes([
 *   { path: "/api", kind: "prefix", target: "api" },
 *   { path: "/api/users/:id", kind: "pattern", methods: ["GET"], target: "users" },
 * ]);
 * const found = table.match("/api/users/7", "GET");
 * if (!found?.matched || found.target !== "users") throw new Error("expected the pattern");
 * ```
 */
export function compileRoutes<T>(routes: readonly RouteSpec<T>[]): RouteTable<T> {
  return new RouteTable(routes);
}

function mismatch<T>(missed: readonly RouteEntry<T>[]): MethodMismatch {
  const allow = new Set<string>();
  for (const entry of missed) {
    for (const method of entry.methods()) allow.add(method);
  }
  return { matched: false, allow: [...allow] };
}

function toMatchForm(path: string): string {
  if (!path.startsWith("/")) {
    throw new TypeError(`Cannot compile route "${path}": expected a path that begins with "/"`);
  }
  const plain = writtenPath(path);
  if (plain === undefined) {
    throw new TypeError(`Cannot compile route "${path}": "%" stands without two hexadecimal digits, expected "%25"`);
  }
  return plain;
}
