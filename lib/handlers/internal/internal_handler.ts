/**
 * The internal endpoints of a site: a short list of exact paths, so that a site's own `/api/` routes work. Their
 * content is public: no addresses of upstreams, no keys, no header values, and nothing of other sites. That holds for
 * local clients too: a request from this machine cannot be distinguished from one that a local proxy forwards. The
 * management API lists all sites.
 *
 * @module
 */

import { INTERNAL_PATHS, type InternalPath, internalPrefix } from "./internal_paths.ts";
import type { ProxyConfig } from "../proxy/config/proxy_schema.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import type { Handler } from "../../exchange/filter.ts";
import type { HttpResponse, RequestHead } from "../../http/message.ts";
import { matchPath } from "../../routing/match_path.ts";
import { VERSION } from "../../version.ts";

/** The part of a site's config that the endpoints show. */
export interface DescribedSite {
  readonly name: string;
  readonly hostname?: string;
  readonly hostnames: readonly string[];
  readonly port: number;
  readonly static_dir?: string;
  readonly internal_api: boolean | string;
  readonly proxy?: ProxyConfig;
}

/** The site whose endpoints these are, and its state. */
export interface InternalApiContext {
  readonly site: DescribedSite;
  /** The site without the parts that must not be shown. */
  readonly shown: DescribedSite;
  /** Whether the site can serve, and what it lacks. */
  readonly readiness: () => { ready: boolean; missing: string[] };
  /** When this generation was built, in milliseconds since 1970. */
  readonly startedMs: number;
}

/** Responds on the endpoints of one site. */
export class InternalHandler implements Handler {
  /** By exact path, in match form; none when `internal_api = false`. */
  readonly #endpoints = new Map<string, () => EndpointResponse>();

  constructor(context: InternalApiContext) {
    const prefix = internalPrefix(context.site.internal_api);
    if (prefix === undefined) return;
    const endpoints: Record<InternalPath, () => EndpointResponse> = {
      "/health": () => health(context),
      "/health/live": () => ({ status: 200, value: { status: "alive" } }),
      "/health/ready": () => ready(context),
      "/config": () => ({ status: 200, value: describeSite(context.shown, true) }),
      "/sites": () => ({ status: 200, value: { sites: [describeSite(context.shown, false)], total: 1 } }),
    };
    for (const path of INTERNAL_PATHS) this.#endpoints.set(prefix + path, endpoints[path]);
  }

  /** Whether a request is for an endpoint. */
  takes({ path }: RequestHead): boolean {
    return this.#endpoints.size > 0 && this.#endpoints.has(matched(path));
  }

  /** Responds to a request that it {@linkcode takes}. */
  handle(exchange: Exchange): HttpResponse {
    const { method, path } = exchange.head;
    const endpoint = this.#endpoints.get(matched(path));
    if (endpoint === undefined || (method !== "GET" && method !== "HEAD")) {
      return { status: 405, headers: ["allow", "GET, HEAD"], body: null };
    }
    const { status, value, missing } = endpoint();
    if (missing !== undefined) {
      exchange.reportsState = true;
      exchange.failed(missing, "proxy");
    }
    return {
      status,
      headers: ["content-type", "application/json", "cache-control", "no-store"],
      body: new TextEncoder().encode(JSON.stringify(value) + "\n"),
    };
  }
}

function matched(path: string): string {
  return path.includes("%") ? matchPath(path) ?? "" : path;
}

/** Status and content of an endpoint's response. */
interface EndpointResponse {
  status: number;
  value: unknown;
  /** What the site lacks to be ready, for the log. */
  missing?: string;
}

function health(context: InternalApiContext): EndpointResponse {
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

function ready(context: InternalApiContext): EndpointResponse {
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
