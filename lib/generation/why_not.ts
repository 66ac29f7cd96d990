/**
 * Why a site or a route takes a request, and why the others do not, as text. The reasons come from the same tables that
 * choose, each built with one entry, so that a reason cannot contradict the choice.
 *
 * @module
 */

import { resolveDots } from "../routing/match_path.ts";
import type { RouteSpec } from "../routing/route.ts";
import { compileRoutes } from "../routing/route_table.ts";
import { compileSites, type SiteMatch } from "../routing/site_table.ts";
import type { Site } from "./site.ts";

/** Why a site takes requests for a host. */
export function whySite(site: Site, how: SiteMatch, host: string, alone: boolean): string {
  if (how === "name") return `${quote(host)} is one of its names`;
  if (how === "wildcard") return `${quote(host)} is below one of its wildcards`;
  if (alone) return "it is the only site of the port";
  const named = host === "" ? "the request names no host" : `no site of the port names ${quote(host)}`;
  if (site.config.default) return `${named}, and it is the default`;
  if (site.hosts.length === 0 || site.hosts.includes("*")) return `${named}, and it serves any`;
  return `${named}, and it is the first`;
}

/** Why another site does not take the request. */
export function whyNotSite(site: Site, taken: { how: SiteMatch; host: string; by: Site }): string {
  const { how, host, by } = taken;
  const own = compileSites([{ hosts: site.hosts, default: false, target: site }]).how(host);
  if (own !== "fallback") {
    if (how === "name" && own === "wildcard") return `its wildcard matches, but an exact name wins`;
    return how === own && how === "wildcard" ? "a longer wildcard won" : "another site has the name";
  }
  const any = site.hosts.length === 0 || site.hosts.includes("*");
  if (how !== "fallback") return any ? "it serves hosts that no site names" : "host does not match";
  if (by.config.default) return any ? "another site is the default" : "host does not match";
  return any ? "another site that serves any host stands before it" : "host does not match";
}

/** Why a prefix that matches does not take the request. */
export const LONGER_PREFIX = "longer prefix won";

/** The properties of a request by which routes are chosen. */
export interface RoutedRequest {
  /** Path in match form. */
  readonly path: string;
  readonly method: string;
}

/** Why the route takes the request. */
export function whyRoute(route: RouteSpec<unknown>, longest: boolean): string {
  if (route.kind === "exact") return "the path is this one";
  if (route.kind === "pattern") return "the path matches the pattern";
  return longest ? "the longest prefix of the path" : "the path lies below it";
}

/** Why another route does not take the request, and whether its path matches. */
export function whyNotRoute(
  route: RouteSpec<unknown>,
  request: RoutedRequest,
  winner: RouteSpec<unknown> | undefined,
): { why: string; matches: boolean } {
  const found = compileRoutes([route]).match(resolveDots(request.path), request.method);
  if (found === undefined) return { why: nearMiss(route, request) ?? "path does not match", matches: false };
  if (!found.matched) return { why: `method not allowed, only ${found.allow.join(", ")}`, matches: true };
  return { why: winner === undefined ? "not asked" : precedence(route, winner), matches: true };
}

function precedence(route: RouteSpec<unknown>, winner: RouteSpec<unknown>): string {
  if (winner.kind !== route.kind) {
    return winner.kind === "exact" ? "an exact path won" : "a pattern won, which comes before prefixes";
  }
  if (winner.kind === "prefix" && winner.path.length > route.path.length) return LONGER_PREFIX;
  return `an earlier ${route.kind} route won`;
}

function nearMiss(route: RouteSpec<unknown>, { path }: RoutedRequest): string | undefined {
  if (route.kind === "exact" && path.startsWith(route.path.replace(/\/$/, ""))) {
    return "path does not match: it is exact";
  }
  if (route.kind !== "prefix") return undefined;
  if (`${path}/` === route.path) return 'path does not match: it lacks the "/" at its end';
  const prefix = route.path.replace(/\/$/, "");
  return prefix !== "" && path.startsWith(prefix) && path.length > prefix.length && path[prefix.length] !== "/"
    ? "path does not match: prefixes end on a segment"
    : undefined;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
