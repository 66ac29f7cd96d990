/**
 * How long the attempts of a route may take, from its config.
 *
 * @module
 */

import { defaultOf, durationMs } from "../../config/fields.ts";
import { timeoutKeys } from "./config/timeout_schema.ts";
import type { ProxyConfig } from "./config/proxy_schema.ts";
import type { RouteConfig } from "./config/route_schema.ts";
import type { SilenceLimits } from "../../upstream/connection/deadlines.ts";

/** How long an attempt may take. */
export interface AttemptLimits extends SilenceLimits {
  /** Longest time for look-up, TCP and TLS handshake together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Whether long silence and a long response are no failure of the upstream. */
  readonly streaming: boolean;
}

/** The limits of a route, from the timeouts that apply to it. */
export function attemptLimits(timeout: ProxyConfig["timeout"], route: RouteConfig): AttemptLimits {
  return {
    connectTimeoutMs: boundMs(timeout.connect),
    readTimeoutMs: boundMs(timeout.read),
    writeTimeoutMs: boundMs(timeout.write),
    clientTimeoutMs: boundMs(timeout.client),
    minUploadRate: route.streaming ? 0 : timeout.min_upload_rate,
    streaming: route.streaming,
  };
}

/** How long a client may be silent; the default on sites that do not proxy. */
export function clientTimeoutMs(timeout: ProxyConfig["timeout"] | undefined): number {
  return boundMs(timeout?.client ?? durationMs(defaultOf(timeoutKeys.client)) as number);
}

/** A time of the config, in which 0 means no limit. */
function boundMs(ms: number): number {
  return ms === 0 ? Infinity : ms;
}
