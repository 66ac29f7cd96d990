/**
 * The input and the results of a route table.
 *
 * @module
 */

/**
 * How a route's path is compared:
 *
 * - `prefix`: the path and everything below it, by whole segments. `/api` matches `/api` and `/api/x`, never `/apix`;
 *   `/api/` matches only what is below it, `/api/` and `/api/x`, not `/api`. Path parameters (`;…`, RFC 3986, section
 *   3.3) end a segment: `/api` matches `/api;v=1/x`.
 * - `exact`: only the path itself.
 * - `pattern`: URLPattern pathname syntax.
 */
export type RouteKind = "prefix" | "exact" | "pattern";

/** A route of the config. */
export interface RouteSpec<T> {
  /** Path to compare with; a prefix or an exact path begins with `/`. */
  readonly path: string;
  readonly kind: RouteKind;
  /**
   * Methods that the route accepts, case-sensitive; GET does not imply HEAD.
   *
   * @default {undefined} All methods.
   */
  readonly methods?: readonly string[];
  readonly target: T;
}

/** A route that accepts a request. There is one object for each route, created with the table. */
export interface RouteMatch<T> {
  /** Distinguishes it from a {@linkcode MethodMismatch}. */
  readonly matched: true;
  /** The route as it was given to the table. */
  readonly route: RouteSpec<T>;
  readonly target: T;
  /** Its position in the file, from 0. */
  readonly order: number;
}

/**
 * Routes match the path, but none of them accepts the method. Static files, which come after routes, may still serve
 * the request; if they do not, the response is 405 with these methods in Allow.
 */
export interface MethodMismatch {
  /** Distinguishes it from a {@linkcode RouteMatch}. */
  readonly matched: false;
  /** Methods that the routes of this path accept, each once. */
  readonly allow: readonly string[];
}
