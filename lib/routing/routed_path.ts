/**
 * The route of a raw path. A path has a route only if all upstreams would read the path as one of that route.
 *
 * @module
 */

import { climbs, hasDotSegments, matchPath, resolvedReadings } from "./match_path.ts";
import type { MethodMismatch, RouteMatch } from "./route.ts";
import type { RouteTable } from "./route_table.ts";

/**
 * The route that accepts a request, as {@linkcode RouteTable.match} returns it. Dot segments are forwarded unchanged,
 * but no upstream, however it resolves them, may see a path of another route: such a path is ambiguous, as is one that
 * leaves the root or is badly percent-encoded (400).
 *
 * @param routes The routes of a site.
 * @param rawPath A path as the client sent it, without the query; begins with `/`.
 * @param method The request's method.
 *
 * @example
 * ```ts
 * import { compileRoutes } from "./route_table.ts";
 *
 * const routes = compileRoutes([{ path: "/public/", kind: "prefix", target: "app" }]);
 * if (routeOfPath(routes, "/public//../admin/", "GET") !== "ambiguous") throw new Error("expected merged slashes");
 * ```
 */
export function routeOfPath<T>(
  routes: RouteTable<T>,
  rawPath: string,
  method: string,
): RouteMatch<T> | MethodMismatch | undefined | "ambiguous" {
  const encoded = rawPath.includes("%");
  const path = encoded ? matchPath(rawPath) : rawPath;
  if (path === undefined) return "ambiguous";
  const found = routes.match(path, method);
  if (!encoded && !hasDotSegments(path)) return found;
  const readings = resolvedReadings(path);
  if (readings.size > 0 && climbs(path)) return "ambiguous";
  for (const reading of readings) {
    const read = routes.match(reading, method);
    const same = found?.matched === true && read?.matched === true
      ? found.target === read.target
      : found?.matched === read?.matched;
    if (!same) return "ambiguous";
  }
  return found;
}
