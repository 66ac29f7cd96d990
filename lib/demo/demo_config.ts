/**
 * The config of the demo: three sample upstreams, and three policies that distribute requests among them.
 *
 * @module
 */

import type { PolicyName } from "../upstream/balancer/registry.ts";
import type { ConfigInput } from "../generation/config/config_types.ts";

/** A sample upstream. */
export interface Sample {
  /** Its name, and its colour on the page: none that is usual for errors. */
  readonly name: string;
  /** Share of the load where the policy uses weights. */
  readonly weight: number;
  /** Mean response time in milliseconds; it varies by a quarter. */
  readonly latencyMs: number;
}

/** A policy that is shown. */
export interface ShownPolicy {
  /** Prefix of the paths that it distributes. */
  readonly path: string;
  /** Its name in configs. */
  readonly method: PolicyName;
  /** Its title on the page. */
  readonly title: string;
  /** What it does, in one sentence. */
  readonly meaning: string;
}

/** The upstreams. Their weights and response times differ, so that the policies differ too. */
export const SAMPLES: readonly Sample[] = [
  { name: "violet", weight: 5, latencyMs: 20 },
  { name: "teal", weight: 3, latencyMs: 100 },
  { name: "blue", weight: 1, latencyMs: 350 },
];

/** The policies, in the order of the page. */
export const SHOWN: readonly ShownPolicy[] = [
  {
    path: "/round-robin",
    method: "round_robin",
    title: "Round robin",
    meaning: "Each in turn, however busy it is.",
  },
  {
    path: "/weighted",
    method: "weighted",
    title: "Weighted",
    meaning: "At random, by weight: 5 to violet, 3 to teal, 1 to blue.",
  },
  {
    path: "/least-connections",
    method: "least_connections",
    title: "Least connections",
    meaning: "Whoever has the fewest requests in flight, so the fast ones work more.",
  },
];

/** Name of the pool of samples in every site. */
export const POOL = "samples";

/**
 * Policies are chosen for a site, so each has one: three sites on loopback ports.
 *
 * @param urls Addresses of the upstreams, in the order of {@linkcode SAMPLES}.
 * @param dashboardPort Port of the dashboard; 0 for any that is free.
 */
export function policySites(urls: readonly string[], dashboardPort: number): ConfigInput {
  return {
    server: { shutdown_timeout: "1s", trusted_proxies: ["127.0.0.1"] },
    management: { enabled: true, port: dashboardPort },
    sites: SHOWN.map(({ path, method, title }) => ({
      name: title,
      listen: "127.0.0.1",
      port: 0,
      internal_api: false,
      proxy: {
        // Weights would change the order of plain round robin.
        upstreams: SAMPLES.map(({ weight }, index) => ({
          ...{ name: POOL, url: urls[index], weight: method === "round_robin" ? 1 : weight },
        })),
        routes: [{ path, upstream: POOL, websocket: true }],
        websocket: { drain: 0 },
        load_balancing: { method },
        health_check: { path: "/health", interval: "500ms", timeout: "400ms", healthy_after: 1, unhealthy_after: 2 },
      },
    })),
  };
}

/**
 * The site that visitors reach: the pages at `/`, and a route to the site of each policy.
 *
 * @param pageUrl Address of the pages' own server.
 * @param siteUrls Addresses of the sites of {@linkcode policySites}, in order.
 * @param secure Set where it is reached by https, with a certificate of the local authority.
 */
export function frontSite(
  port: number,
  { pageUrl, siteUrls }: { pageUrl: string; siteUrls: readonly string[] },
  secure?: { readonly storage: string | undefined },
): ConfigInput {
  return {
    server: { shutdown_timeout: "1s" },
    ...(secure?.storage === undefined ? {} : { acme: { storage: secure.storage } }),
    sites: [{
      name: "demo",
      ...(secure === undefined ? {} : { hostnames: ["localhost", "127.0.0.1"], tls: "internal" as const }),
      // Every visitor can stop upstreams, so the page listens on loopback only.
      listen: "127.0.0.1",
      port,
      proxy: {
        upstreams: [
          { name: "page", url: pageUrl },
          ...SHOWN.map(({ method }, index) => ({ name: method, url: siteUrls[index] })),
        ],
        routes: [
          { path: "/", upstream: "page" },
          ...SHOWN.map(({ path, method }) => ({ path, upstream: method, websocket: true })),
        ],
        websocket: { drain: 0 },
      },
    }],
  };
}
