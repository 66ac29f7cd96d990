/**
 * Which upstreams of a site are probed, and how.
 *
 * @module
 */

import { BodyPattern } from "../../upstream/health/body_pattern.ts";
import type { ProbedUpstream } from "../../upstream/health/probe_target.ts";
import type { Site } from "../site.ts";

/** The upstreams of `site` that are probed now. */
export function probeTargets(site: Site): ProbedUpstream[] {
  const { proxy } = site.config;
  if (proxy?.enabled !== true || !proxy.health_check.enabled) return [];
  const { health_check } = proxy;
  const check = {
    kind: health_check.kind,
    path: health_check.path,
    method: health_check.method,
    headers: Object.entries(health_check.headers).flat(),
    expectStatus: health_check.expect_status,
    expectBody: health_check.expect_body === undefined ? undefined : new BodyPattern(health_check.expect_body),
    port: health_check.port,
    intervalMs: health_check.interval,
    timeoutMs: health_check.timeout,
    healthyAfter: health_check.healthy_after,
    unhealthyAfter: health_check.unhealthy_after,
  };
  return [...site.pools.values()].flatMap((pool) =>
    pool.upstreams.map((upstream) => ({ upstream, pool: pool.name, site: site.config.name, check }))
  );
}
