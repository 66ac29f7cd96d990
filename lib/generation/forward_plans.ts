/**
 * How the routes of one site forward their requests. Routes that do the same share one plan: with ten thousand routes, plans
 * of their own would not stay in the processor's caches, and each request would wait for memory.
 *
 * @module
 */

import type { Filter } from "../exchange/filter.ts";
import { attemptLimits } from "../handlers/proxy/attempt_limits.ts";
import type { ProxyConfig } from "../handlers/proxy/config/proxy_schema.ts";
import type { RouteConfig } from "../handlers/proxy/config/route_schema.ts";
import type { ForwardPlan } from "../handlers/proxy/forward.ts";
import { compileRewrite } from "../handlers/proxy/path_rewrite.ts";
import type { RequestHeaders } from "../handlers/proxy/request_headers.ts";
import type { ResponseHeaders } from "../handlers/proxy/response_headers.ts";
import { compileReverseMapping, forwardedPrefix } from "../handlers/proxy/route_reverse_mapping.ts";
import { parseEndpoint } from "../sockets/endpoint.ts";
import type { Pool } from "../upstream/pool.ts";
import { plainUrl } from "../upstream/upstream_url.ts";
import type { ProcessState } from "./process_state.ts";

/** The rewriting of header fields on a route. */
export interface HeaderRules {
  readonly requestHeaders: RequestHeaders;
  readonly responseHeaders: ResponseHeaders;
}

/** What the plan of a route is made of, besides its config. */
export interface RouteParts {
  /** The settings of the proxy, with those of the route applied. */
  readonly own: ProxyConfig;
  readonly pool: Pool;
  readonly rules: HeaderRules;
  /** The filters of the route. */
  readonly filters: readonly Filter[];
  readonly processState: ProcessState;
}

/** The plans of one site, while it is built. */
export class ForwardPlans {
  readonly #proxy: ProxyConfig;
  /** Plans that do not depend on their route's path or its own settings, by the parts that they are made of. */
  readonly #shared = new Map<Pool, { plan: ForwardPlan; filters: readonly Filter[]; streaming: boolean }[]>();

  constructor(proxy: ProxyConfig) {
    this.#proxy = proxy;
  }

  /** The plan of a route. */
  of(route: RouteConfig, parts: RouteParts): ForwardPlan {
    const alone = parts.own !== this.#proxy || route.strip_prefix || route.rewrite_target !== undefined;
    if (alone) return forwardPlan(route, parts);
    const { pool, filters } = parts;
    const { streaming } = route;
    let made = this.#shared.get(pool);
    if (made === undefined) this.#shared.set(pool, made = []);
    const found = made.find((one) => one.filters === filters && one.streaming === streaming);
    if (found !== undefined) return found.plan;
    const plan = forwardPlan(route, parts);
    made.push({ plan, filters, streaming });
    return plan;
  }
}

function forwardPlan(route: RouteConfig, { own, pool, rules, filters, processState }: RouteParts): ForwardPlan {
  const hasBase = own.upstreams.some((entry) =>
    entry.name === route.upstream && parseEndpoint(plainUrl(entry.url)).basePath !== ""
  );
  return {
    pool,
    rewrite: compileRewrite(route, hasBase),
    preserve_host: own.preserve_host,
    ...rules,
    redirects: compileReverseMapping(route, own, { hasBase, host: rules.requestHeaders.host }),
    forwardedPrefix: forwardedPrefix(route),
    body: {
      limit: filters.find((filter) => filter.bodyLimit !== undefined)?.bodyLimit,
      buffering: filters.find((filter) => filter.bodyBuffering !== undefined)?.bodyBuffering,
      retry_buffer: own.retries.retry_buffer,
      readAhead: processState.readAhead,
      streaming: route.streaming,
    },
    retries: own.retries,
    limits: attemptLimits(own.timeout, route),
  };
}
