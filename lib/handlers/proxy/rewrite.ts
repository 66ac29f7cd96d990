/**
 * How a route changes the path on its way upstream.
 *
 * @module
 */

import type { RouteConfig } from "./config/route_schema.ts";
import { climbs, dropSegments, encodeWritten, matchPath } from "../../routing/match_path.ts";

/** The path upstream for a raw path, or undefined when it would climb out of where the route leads. */
export type Rewrite = (path: string) => string | undefined;

/**
 * The rewriting of a route; undefined when the path passes as it came.
 *
 * @param hasBase Whether an upstream puts a base path before it, which dot segments must not leave.
 */
export function compileRewrite(route: RouteConfig, hasBase: boolean): Rewrite | undefined {
  const { path: prefix } = route;
  const target = route.rewrite_target === undefined ? undefined : encodeWritten(route.rewrite_target);
  // With strip_prefix beside it, the target is put before what is left; without, in place of the prefix. It is the same.
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
  // `/api` itself, without a slash behind it, becomes the target itself.
  if (rest === "/" && !path.endsWith("/")) return target;
  // So do its path parameters: `/api;v=1`.
  if (rest.startsWith("/;") && !path.endsWith("/") && !target.endsWith("/")) return target + rest.slice(1);
  return target.endsWith("/") ? target + rest.slice(1) : target + rest;
}
