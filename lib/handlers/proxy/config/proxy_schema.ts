/**
 * The table `[sites.proxy]`.
 *
 * @module
 */

import type { z } from "zod";
import { flag, table, tables } from "../../../config/fields.ts";
import { headersKeys } from "./headers_schema.ts";
import { connectionsSchema } from "../../../upstream/config/connections_schema.ts";
import { healthCheckSchema } from "../../../upstream/config/health_check_schema.ts";
import { loadBalancingSchema } from "../../../upstream/config/load_balancing_schema.ts";
import { circuitBreakerSchema, passiveHealthSchema } from "../../../upstream/config/resilience_schema.ts";
import { retriesSchema } from "./retries_schema.ts";
import { routeOwnKeys } from "./route_schema.ts";
import { upstreamSchema } from "./upstream_schema.ts";
import { timeoutSchema } from "./timeout_schema.ts";
import { websocketSchema } from "./websocket_schema.ts";

/**
 * `[sites.proxy]`: routes, upstreams and how they are used.
 *
 * @param routeKeys Keys of routes from other schemas.
 */
export function composeProxy<T extends z.ZodRawShape>(routeKeys: T) {
  return table({
    enabled: flag().default(true).describe("Whether the site proxies; its tables are checked in any case."),
    preserve_host: flag().default(true).describe("Send the client's Host upstream, instead of the host of the URL."),
    rewrite_redirects: flag().optional().describe(
      "Map Location, Content-Location, Refresh, and Path and Domain of cookies back where they name the upstream; without it, " +
        "where the upstream sees another Host or path than the client.",
    ),
    upstreams: tables(upstreamSchema).prefault([]).describe("The servers to proxy to."),
    routes: tables(table({ ...routeOwnKeys, ...routeKeys })).prefault([]).describe("Which requests go to which pool."),
    load_balancing: loadBalancingSchema.prefault({}).describe("How pools choose."),
    timeout: timeoutSchema.prefault({}).describe("How long upstreams may take."),
    headers: table(headersKeys).prefault({}).describe("Changes to header fields."),
    connections: connectionsSchema.prefault({}).describe("How connections to upstreams are kept and limited."),
    websocket: websocketSchema.prefault({}).describe("Pings, timeouts and limits of WebSockets."),
    health_check: healthCheckSchema.prefault({ enabled: false }).describe("How upstreams are probed; on when present."),
    passive_health: passiveHealthSchema.prefault({}).describe("When upstreams that fail are ejected."),
    circuit_breaker: circuitBreakerSchema.prefault({ enabled: false }).describe(
      "A breaker per upstream; on when present.",
    ),
    retries: retriesSchema.prefault({}).describe("How requests are retried."),
  });
}

/** A proxy, after defaults. */
export type ProxyConfig = z.output<ReturnType<typeof composeProxy<Record<never, never>>>>;
