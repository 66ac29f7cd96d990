/**
 * Where the exchanges of a route go.
 *
 * @module
 */

import type { Generation } from "../generation/generation.ts";

/** Names of the pools of the routes with this path: several, where routes of one path differ in their methods. */
export function poolsOfRoute(gateway: Generation, site: string, path: string): string[] {
  const { proxy } = gateway.sites.find(({ config }) => config.name === site)?.config ?? {};
  if (proxy?.enabled !== true) return [];
  return [...new Set(proxy.routes.filter((route) => route.path === path).map(({ upstream }) => upstream))];
}
