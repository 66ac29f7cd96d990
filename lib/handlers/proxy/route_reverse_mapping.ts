/**
 * How a route's changes of path and Host are undone in responses, and reported to upstreams in X-Forwarded-Prefix.
 *
 * @module
 */

import type { ProxyConfig } from "./config/proxy_schema.ts";
import type { RouteConfig } from "./config/route_schema.ts";
import { escapedTarget } from "../../http/target.ts";
import { ReverseMapping } from "./reverse_mapping.ts";

/** What else changes the addresses that upstreams get. */
export interface RouteChanges {
  /** Whether an upstream has a base path. */
  readonly hasBase: boolean;
  /** Value that the config sets for Host. */
  readonly host: string | undefined;
}

/**
 * Maps addresses in responses of a route; undefined where nothing is changed, or the config disables it.
 *
 * @param proxy The proxy's settings for this route.
 */
export function compileReverseMapping(
  route: RouteConfig,
  proxy: ProxyConfig,
  { hasBase, host }: RouteChanges,
): ReverseMapping | undefined {
  const hostChanged = host !== undefined || !proxy.preserve_host;
  const pathChanged = route.strip_prefix || route.rewrite_target !== undefined || hasBase;
  const on = proxy.rewrite_redirects ?? (hostChanged || pathChanged);
  if (!on) return undefined;
  // The path of an exact route or a pattern is replaced as a whole: it cannot be mapped back.
  const mapsPaths = !route.exact && !route.pattern && (route.strip_prefix || route.rewrite_target !== undefined);
  return new ReverseMapping({
    clientPath: mapsPaths ? escapedTarget(route.path) : "/",
    upstreamPath: mapsPaths ? route.rewrite_target ?? "/" : "/",
    host: hostChanged ? (endpoint) => host ?? endpoint.authority : undefined,
  });
}

/** Value of X-Forwarded-Prefix: the prefix that the route removes, without a trailing slash; or empty. */
export function forwardedPrefix(route: RouteConfig): string {
  if (route.exact || route.pattern) return "";
  const strips = route.rewrite_target === undefined ? route.strip_prefix : route.rewrite_target === "/";
  return strips ? escapedTarget(route.path).replace(/\/+$/, "") : "";
}
