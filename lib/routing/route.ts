/**
 * What goes into a route table and what comes out.
 *
 * @module
 */

/**
 * How a route's path is compared:
 *
 * - `prefix`: the path or what lies below it, cut at segments. `/api` matches `/api` and `/api/x`, never `/apix`; `/api/`
 *   matches what lies below it, `/api/` and `/api/x`, not `/api`. Path parameters (`;…`, RFC 3986, section 3.3) end a segment:
 *   `/api` matches `/api;v=1/x`.
 * - `exact`: the path and nothing else.
 * - `pattern`: URLPattern pathname syntax.
 */
export type RouteKind = "prefix" | "exact" | "pattern";

/** A route as the config gives it. */
export interface RouteSpec<T> {
  /** Path to compare with; for prefixes and exact paths it begins with `/`. */
  readonly path: string;
  /** How the path is compared. */
  readonly kind: RouteKind;
  /**
   * Methods that the route takes, in the case of the wire; GET does not imply HEAD.
   *
   * @default {undefined} All methods.
   */
  readonly methods?: readonly string[];
  /** What the route leads to. */
  readonly target: T;
}

/** A route that takes a request. There is one object for each route, made when the table is. */
export interface RouteMatch<T> {
  /** Tells it from a {@linkcode MethodMismatch}. */
  readonly matched: true;
  /** The route, as it was given. */
  readonly route: RouteSpec<T>;
  /** Its target. */
  readonly target: T;
  /** Its place in the file, from 0. */
  readonly order: number;
}

/**
 * Routes match the path, but none of them takes the method. What comes after routes (static files) may still answer; if
 * nothing does, the answer is 405 with these methods in Allow.
 */
export interface MethodMismatch {
  /** Tells it from a {@linkcode RouteMatch}. */
  readonly matched: false;
  /** Methods that the routes of this path take, each once. */
  readonly allow: readonly string[];
}
