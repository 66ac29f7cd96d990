/**
 * The routes that share one place in a trie, such as several `/api` with different methods.
 *
 * @module
 */

import type { RouteMatch } from "./route.ts";

/** Answers by method in constant time, however many routes share the place; the first in file order wins. */
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

  /** The first route that takes `method`, or undefined. */
  accepting(method: string): RouteMatch<T> | undefined {
    return this.#byMethod?.get(method) ?? this.#any;
  }

  /** Methods that the routes take; meaningful where {@linkcode accepting} found none. */
  methods(): Iterable<string> {
    return this.#byMethod?.keys() ?? [];
  }
}
