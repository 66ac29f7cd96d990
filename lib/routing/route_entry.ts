/**
 * The routes at one node of a trie, such as several routes for `/api` with different methods.
 *
 * @module
 */

import type { RouteMatch } from "./route.ts";

/** Finds a route by method in constant time, however many routes there are; the first in file order wins. */
export class RouteEntry<T> {
  #any: RouteMatch<T> | undefined;
  #byMethod: Map<string, RouteMatch<T>> | undefined;

  /** Adds a route; routes must come in file order. */
  add(match: RouteMatch<T>): void {
    // A route for all methods hides every later one.
    if (this.#any !== undefined) return;
    const methods = match.route.methods;
    if (methods === undefined) {
      this.#any = match;
      return;
    }
    this.#byMethod ??= new Map();
    for (const method of methods) {
      if (!this.#byMethod.has(method)) this.#byMethod.set(method, match);
    }
  }

  /** The first route that accepts `method`, or undefined. */
  accepting(method: string): RouteMatch<T> | undefined {
    return this.#byMethod?.get(method) ?? this.#any;
  }

  /** Methods that the routes accept; meaningful if {@linkcode accepting} found none. */
  methods(): Iterable<string> {
    return this.#byMethod?.keys() ?? [];
  }
}
