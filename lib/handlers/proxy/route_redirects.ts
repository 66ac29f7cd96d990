/**
 * What a route hides from its upstreams, as far as responses and the upstreams themselves must be told of it.
 *
 * @module
 */

import type { ProxyConfig } from "./config/proxy_schema.ts";
import type { RouteConfig } from "./config/route_schema.ts";
import { escapedTarget } from "../../http/target.ts";
import { Redirects } from "./redirects.ts";

/** What else decides about the addresses that upstreams see. */
export interface RouteChanges {
  /** Whether an upstream puts a base path before every path. */
  readonly hasBase: boolean;
  /** Value that the config sets for Host. */
  readonly host: string | undefined;
}

/**
 * Maps addresses in responses of a route back; undefined where nothing was changed, or the config says not to.
 *
 * @param proxy The proxy as it is for this route.
 */
export function compileRedirects(
  route: RouteConfig,
  proxy: ProxyConfig,
  { hasBase, host }: RouteChanges,
): Redirects | undefined {
  const hostChanged = host !== undefined || !proxy.preserve_host;
  const pathChanged = route.strip_prefix || route.rewrite_target !== undefined || hasBase;
  const on = proxy.rewrite_redirects ?? (hostChanged || pathChanged);
  if (!on) return undefined;
  // The path of an exact route or a pattern is replaced as a whole: nothing tells which path leads to another.
  const mapsPaths = !route.exact && !route.pattern && (route.strip_prefix || route.rewrite_target !== undefined);
  return new Redirects({
    clientPath: mapsPaths ? escapedTarget(route.path) : "/",
    upstreamPath: mapsPaths ? route.rewrite_target ?? "/" : "/",
    host: hostChanged ? (endpoint) => host ?? endpoint.authority : undefined,
  });
}

/** What X-Forwarded-Prefix tells: the path that the route takes away, without a slash at its end; or empty. */
export function forwardedPrefix(route: RouteConfig): string {
  if (route.exact || route.pattern) return "";
  const strips = route.rewrite_target === undefined ? route.strip_prefix : route.rewrite_target === "/";
  return strips ? escapedTarget(route.path).replace(/\/+$/, "") : "";
}
