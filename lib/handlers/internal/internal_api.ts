/**
 * The endpoints that BWS itself answers on each site: a short list of exact paths, so that a site's own `/api/` routes
 * work. What they say is fit for strangers: no addresses of upstreams, no keys, no header values, and of no other site,
 * whoever asks: a request of this machine cannot be told from one that a proxy on it passes on. The management API lists
 * all sites.
 *
 * @module
 */

import { INTERNAL_PATHS, type InternalPath, internalPrefix } from "./internal_paths.ts";
import type { ProxyConfig } from "../proxy/config/proxy_schema.ts";
import type { HttpResponse, RequestHead } from "../../http/message.ts";
import { VERSION } from "../../version.ts";

/** What the endpoints tell of a site, from its config. */
export interface DescribedSite {
  readonly name: string;
  readonly hostname?: string;
  readonly hostnames: readonly string[];
  readonly port: number;
  readonly static_dir?: string;
  readonly internal_api: boolean | string;
  readonly proxy?: ProxyConfig;
}

/** What the endpoints tell of. */
export interface InternalApiContext {
  /** The site that answers. */
  readonly site: DescribedSite;
  /** The site without what is not to be shown. */
  readonly shown: DescribedSite;
  /** Whether the site can serve, and what it lacks. */
  readonly readiness: () => { ready: boolean; missing: string[] };
  /** When this generation was built, in milliseconds since 1970. */
  readonly startedMs: number;
}

/** What an endpoint answers. */
export interface InternalResponse extends HttpResponse {
  /** What the site lacks, for the log; undefined where it is ready or that was not asked. */
  readonly missing?: string;
}

/** Answers a request for one endpoint. */
export type InternalEndpoint = (head: RequestHead) => InternalResponse;

/** The endpoints of a site by exact path, in match form; empty when `internal_api = false`. */
export function internalEndpoints(context: InternalApiContext): ReadonlyMap<string, InternalEndpoint> {
  const prefix = internalPrefix(context.site.internal_api);
  if (prefix === undefined) return new Map();
  const tells: Record<InternalPath, () => Telling> = {
    "/health": () => health(context),
    "/health/live": () => ({ status: 200, value: { status: "alive" } }),
    "/health/ready": () => ready(context),
    "/config": () => ({ status: 200, value: describeSite(context.shown, true) }),
    "/sites": () => ({ status: 200, value: { sites: [describeSite(context.shown, false)], total: 1 } }),
  };
  return new Map(INTERNAL_PATHS.map((path) => [prefix + path, endpoint(tells[path])]));
}

interface Telling {
  status: number;
  value: unknown;
  missing?: string;
}

function endpoint(tell: () => Telling): InternalEndpoint {
  return (head) => {
    if (head.method !== "GET" && head.method !== "HEAD") {
      return { status: 405, headers: ["allow", "GET, HEAD"], body: null };
    }
    const { status, value, missing } = tell();
    return {
      status,
      missing,
      headers: ["content-type", "application/json", "cache-control", "no-store"],
      body: new TextEncoder().encode(JSON.stringify(value) + "\n"),
    };
  };
}

function health(context: InternalApiContext): Telling {
  const { ready, missing } = context.readiness();
  return {
    status: ready ? 200 : 503,
    value: {
      status: ready ? "healthy" : "unhealthy",
      service: "bws",
      version: VERSION,
      timestamp: new Date().toISOString(),
      uptime_seconds: Math.round((Date.now() - context.startedMs) / 1000),
      ...(ready ? {} : { missing }),
    },
    ...(ready ? {} : { missing: missing.join("; ") }),
  };
}

function ready(context: InternalApiContext): Telling {
  const { ready, missing } = context.readiness();
  if (ready) return { status: 200, value: { status: "ready" } };
  return { status: 503, value: { status: "not_ready", missing }, missing: missing.join("; ") };
}

function describeSite(site: DescribedSite, detailed: boolean): Record<string, unknown> {
  const hostnames = site.hostname === undefined ? site.hostnames : [site.hostname, ...site.hostnames];
  const proxies = site.proxy?.enabled === true;
  const brief = { name: site.name, hostnames, port: site.port, static: site.static_dir !== undefined, proxy: proxies };
  if (!detailed) return brief;
  return {
    service: "bws",
    version: VERSION,
    site: brief,
    load_balancing: proxies ? site.proxy?.load_balancing.method : undefined,
    routes: !proxies ? [] : site.proxy?.routes.map((route) => ({
      path: route.path,
      kind: route.exact ? "exact" : route.pattern ? "pattern" : "prefix",
      websocket: route.websocket,
    })),
  };
}
