/**
 * Upstreams and checks for tests of probes.
 *
 * @module
 */

import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { parseEndpoint } from "../../../lib/sockets/endpoint.ts";
import type { HealthCheckConfig } from "../../../lib/upstream/config/health_check_schema.ts";
import { type HealthCheck, healthCheckOf } from "../../../lib/upstream/health/health_check.ts";
import { Upstream } from "../../../lib/upstream/upstream.ts";
import type { UpstreamOptions } from "../../../lib/upstream/upstream.ts";

/** An upstream of weight 1 at `url`, which dials nothing by itself. */
export function upstreamAt(url: string, options: Partial<UpstreamOptions> = {}): Upstream {
  return new Upstream({
    url,
    endpoint: parseEndpoint(url),
    weight: 1,
    maxConnections: 0,
    clock: new CoarseClock(),
    readTimeoutMs: 1000,
    writeTimeoutMs: 1000,
    clientTimeoutMs: 1000,
    idle_timeout: 1000,
    max_idle: 1,
    maxHeadBytes: 16384,
    probedFirst: "healthy",
    ...options,
  });
}

/** A check of `/health` that is quick to make up its mind, and slow to give up. */
export function checkOf(changes: Partial<HealthCheckConfig> = {}): HealthCheck {
  return healthCheckOf({
    enabled: true,
    initial: "healthy",
    kind: "http",
    path: "/health",
    method: "GET",
    headers: {},
    interval: 5,
    timeout: 5000,
    healthy_after: 2,
    unhealthy_after: 3,
    ...changes,
  });
}
