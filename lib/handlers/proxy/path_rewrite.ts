/**
 * How a route rewrites the path for the upstream.
 *
 * @module
 */

import type { RouteConfig } from "./config/route_schema.ts";
import { climbs, dropSegments, encodeWritten, matchPath } from "../../routing/match_path.ts";

/** The upstream's path for a raw path; undefined when dot segments would leave the route's target. */
export type Rewrite = (path: string) => string | undefined;

/**
 * The rewriting of a route; undefined when the path is passed on unchanged.
 *
 * @param hasBase Whether an upstream has a base path, which dot segments must not leave.
 */
export function compileRewrite(route: RouteConfig, hasBase: boolean): Rewrite | undefined {
  const { path: prefix } = route;
  const target = route.rewrite_target === undefined ? undefined : encodeWritten(route.rewrite_target);
  // With strip_prefix the target precedes the rest of the path; without it, it replaces the prefix. The result is the
  // same.
  if (target !== undefined) {
    if (route.exact || route.pattern) return () => target;
    return (path) => contained(dropSegments(path, prefix), (rest) => joined(target, rest, path));
  }
  if (route.strip_prefix) return (path) => contained(dropSegments(path, prefix), (rest) => rest);
  return hasBase ? (path) => contained(path, (whole) => whole) : undefined;
}

function contained(rest: string, finish: (rest: string) => string): string | undefined {
  const plain = matchPath(rest);
  return plain === undefined || climbs(plain) ? undefined : finish(rest);
}

function joined(target: string, rest: string, path: string): string {
  // `/api` without a trailing slash becomes the target itself.
  if (rest === "/" && !path.endsWith("/")) return target;
  // The same holds with path parameters: `/api;v=1`.
  if (rest.startsWith("/;") && !path.endsWith("/") && !target.endsWith("/")) return target + rest.slice(1);
  return target.endsWith("/") ? target + rest.slice(1) : target + rest;
}
