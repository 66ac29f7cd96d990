/**
 * The redirect from `/api` to a route `/api/`. It is looked for when no route and no file at the path takes it;
 * a fixed entry of `try_files`, which would take every path, comes after it.
 *
 * @module
 */

import type { RouteConfig } from "../handlers/proxy/config/route_schema.ts";
import type { RequestHead } from "../http/message.ts";
import { matchPath, writtenPath } from "../routing/match_path.ts";
import type { RouteSpec } from "../routing/route.ts";
import type { RouteTable } from "../routing/route_table.ts";

/** What a route's target says of it. */
export interface SlashTarget {
  /** The route's path in match form, where the path without its last slash is redirected to it. */
  readonly slashPath: string | undefined;
}

/** {@linkcode SlashTarget.slashPath} of a route. */
export function slashPathOf({ path, exact, pattern, redirect_slash }: RouteConfig): string | undefined {
  if (exact || pattern || !redirect_slash || path === "/" || !path.endsWith("/")) return undefined;
  // `//host/` would lead to another host.
  return path.startsWith("//") ? undefined : writtenPath(path);
}

/** Where a request that nothing takes is redirected to, and for which route; undefined when there is none. */
export function slashRedirect<T extends SlashTarget>(
  routes: RouteTable<T>,
  { method, path, query }: RequestHead,
): { target: T; location: string } | undefined {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const plain = matchPath(path);
  if (plain === undefined || routes.match(plain, method) !== undefined) return undefined;
  const below = routes.match(plain + "/", method);
  if (below?.matched !== true || below.target.slashPath !== plain + "/") return undefined;
  return { target: below.target, location: `${path}/${query}` };
}

/** Whether a request that no file at its path takes has a {@linkcode slashRedirect}; undefined where no route has one. */
export function slashRedirects<T extends SlashTarget>(
  specs: readonly RouteSpec<T>[],
  routes: RouteTable<T> | undefined,
): ((head: RequestHead) => boolean) | undefined {
  if (routes === undefined || specs.every(({ target }) => target.slashPath === undefined)) return undefined;
  return (head) => slashRedirect(routes, head) !== undefined;
}
