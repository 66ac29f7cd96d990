/**
 * Which upstreams of a site are probed, and how.
 *
 * @module
 */

import { healthCheckOf } from "../../upstream/health/health_check.ts";
import type { ProbedUpstream } from "../../upstream/health/probe_target.ts";
import type { Site } from "../site.ts";

/** The upstreams of `site` that are probed now. */
export function probeTargets(site: Site): ProbedUpstream[] {
  const { proxy } = site.config;
  if (proxy?.enabled !== true || !proxy.health_check.enabled) return [];
  const check = healthCheckOf(proxy.health_check);
  return [...site.pools.values()].flatMap((pool) =>
    pool.upstreams.map((upstream) => ({ upstream, pool: pool.name, site: site.config.name, check }))
  );
}
