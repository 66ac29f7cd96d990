/**
 * The settings of one route: its own, and those of its proxy where it has none.
 *
 * @module
 */

import type { HeadersConfig } from "./config/headers_schema.ts";
import type { ProxyConfig } from "./config/proxy_schema.ts";
import type { RouteConfig } from "./config/route_schema.ts";

type Changes = HeadersConfig["request"];
type RouteHeaders = NonNullable<RouteConfig["headers"]>;

/**
 * The settings of the proxy for `route`. The tables `timeout`, `retries` and `headers` are merged key by key, those of
 * header fields field by field; any other value of the route replaces the proxy's. The settings of the proxy themselves for
 * a route that has none.
 */
export function proxyOfRoute(proxy: ProxyConfig, route: RouteConfig): ProxyConfig {
  if (OWN_SETTINGS.every((key) => route[key] === undefined)) return proxy;
  return {
    ...proxy,
    preserve_host: route.preserve_host ?? proxy.preserve_host,
    rewrite_redirects: route.rewrite_redirects ?? proxy.rewrite_redirects,
    timeout: { ...proxy.timeout, ...route.timeout },
    retries: { ...proxy.retries, ...route.retries },
    headers: route.headers === undefined ? proxy.headers : headersOfRoute(proxy.headers, route.headers),
  };
}

const OWN_SETTINGS = ["preserve_host", "rewrite_redirects", "timeout", "retries", "headers"] as const;

function headersOfRoute(proxy: HeadersConfig, route: RouteHeaders): HeadersConfig {
  const gone = route.remove ?? [];
  return {
    add_x_forwarded: route.add_x_forwarded ?? proxy.add_x_forwarded,
    add_forwarded: route.add_forwarded ?? proxy.add_forwarded,
    add: fieldsOfRoute(proxy.add, route.add, gone),
    remove: route.remove ?? proxy.remove,
    request: changesOfRoute(proxy.request, route.request, gone),
    response: changesOfRoute(proxy.response, route.response, gone),
  };
}

function changesOfRoute(proxy: Changes, route: RouteHeaders["request"] = {}, gone: readonly string[]): Changes {
  const removed = [...gone, ...route.remove ?? []];
  return {
    set: fieldsOfRoute(proxy.set, route.set, removed),
    add: fieldsOfRoute(proxy.add, route.add, removed),
    remove: route.remove ?? proxy.remove,
  };
}

/** Names are compared without case. A field that the route removes is not set or added by its proxy. */
function fieldsOfRoute(
  proxy: Readonly<Record<string, string>>,
  route: Readonly<Record<string, string>> = {},
  removed: readonly string[],
): Record<string, string> {
  const own = new Set([...Object.keys(route).map((name) => name.toLowerCase()), ...removed]);
  const kept = Object.entries(proxy).filter(([name]) => !own.has(name.toLowerCase()));
  return { ...Object.fromEntries(kept), ...route };
}
