/**
 * The proxied routes of one site, from its config, each with its filters, its handler and its delivery.
 *
 * @module
 */

import { Delivery } from "../exchange/delivery.ts";
import type { Filter } from "../exchange/filter.ts";
import { Pipeline } from "../exchange/pipeline.ts";
import type { RouteMetrics } from "../exchange/route_metrics.ts";
import type { SiteFilters } from "../features/filters.ts";
import type { FileServer } from "../handlers/files/file_server.ts";
import { FilesFirst } from "../handlers/files/files_first.ts";
import { clientTimeoutMs } from "../handlers/proxy/attempt_limits.ts";
import type { ProxyConfig } from "../handlers/proxy/config/proxy_schema.ts";
import type { ForwardPlan } from "../handlers/proxy/forward.ts";
import { PlainHandshakes } from "../handlers/proxy/plain_handshakes.ts";
import { ProxyHandler, type ProxyPlan } from "../handlers/proxy/proxy_handler.ts";
import { RequestHeaders } from "../handlers/proxy/request_headers.ts";
import { ResponseHeaders } from "../handlers/proxy/response_headers.ts";
import { proxyOfRoute } from "../handlers/proxy/route_settings.ts";
import { socketPlace } from "../handlers/websocket/socket_route.ts";
import { tlsOf } from "../listener/tls/site_tls.ts";
import { viaToken } from "../http/via_token.ts";
import type { RouteSpec } from "../routing/route.ts";
import type { Pool } from "../upstream/pool.ts";
import type { SiteConfig } from "./config/config_types.ts";
import type { SiteMetrics } from "./metrics/site_metrics.ts";
import { ForwardPlans, type HeaderRules } from "./forward_plans.ts";
import type { ProcessState } from "./process_state.ts";

/** A route that is ready to handle requests. */
export interface SiteRoute extends Pick<ProxyPlan, "forward" | "sockets"> {
  /** Its path, as written. */
  readonly path: string;
  /** Undefined where no metrics are kept. */
  readonly metrics: RouteMetrics | undefined;
  readonly pipeline: Pipeline;
  /** Its index in the site, from 0. */
  readonly index: number;
  /** Files that are tried before the upstream (`try_files`). */
  readonly filesFirst: FilesFirst | undefined;
}

/** What {@linkcode buildRoutes} needs. */
export interface SiteRoutesContext {
  readonly site: SiteConfig;
  readonly proxy: ProxyConfig;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly filters: SiteFilters;
  /** The files of the site; undefined where it serves none. */
  readonly files: FileServer | undefined;
  readonly metrics: SiteMetrics | undefined;
  readonly processState: ProcessState;
  readonly serverName: string;
  /** Identifies this process in the Via field of its requests. */
  readonly viaMark: string;
  /** Key of the site's listener. */
  readonly listener: string;
}

/** Builds the routes of a site, in the order of the config. */
export function buildRoutes(context: SiteRoutesContext): RouteSpec<SiteRoute>[] {
  const { site, proxy, pools, filters, files, metrics, processState } = context;
  const common = headerRules(proxy, context);
  const plainHandshakes = new PlainHandshakes(site.name, processState.log);
  const plans = new ForwardPlans(proxy);
  const pipelineOf = pipelines();
  return proxy.routes.map((route, index) => {
    const own = proxyOfRoute(proxy, route);
    const rules = route.headers === undefined ? common : headerRules(own, context);
    const pool = pools.get(route.upstream) as Pool;
    const routeMetrics = metrics?.route(route.path);
    // For files only: with a body from an upstream, its connection enforces the timeout of the client.
    const stall = { clock: processState.clock, timeoutMs: clientTimeoutMs(own.timeout) };
    const tryFiles = site.proxy?.routes[index].try_files;
    const filesFirst = files && tryFiles && new FilesFirst(files, tryFiles);
    const shared = filters.of(route, own);
    const list = filesFirst === undefined ? shared : [...shared, filesFirst];
    const plan: ProxyPlan = {
      methods: route.methods,
      forward: plans.of(route, { own, pool, rules, filters: shared, processState }),
      sockets: route.websocket
        ? {
          config: proxy.websocket,
          sockets: processState.sockets,
          clock: processState.clock,
          route: socketPlace(context.listener, site.name, route),
          metrics: routeMetrics,
        }
        : undefined,
      plainHandshakes,
    };
    const pipeline = filesFirst === undefined
      ? pipelineOf(plan, list)
      : new Pipeline(list, new ProxyHandler(plan), new Delivery(list, stall));
    const { forward, sockets } = plan;
    return {
      path: route.path,
      kind: route.exact ? "exact" : route.pattern ? "pattern" : "prefix",
      methods: route.methods,
      target: { path: route.path, metrics: routeMetrics, pipeline, index, forward, sockets, filesFirst },
    };
  });
}

/** Pipelines without files. Routes that do the same share one: those of thousands would not stay in the processor's caches. */
function pipelines(): (plan: ProxyPlan, filters: readonly Filter[]) => Pipeline {
  const delivery = deliveries();
  const shared = new Map<ForwardPlan, { pipeline: Pipeline; filters: readonly Filter[] }>();
  return (plan, filters) => {
    const { forward, sockets, methods } = plan;
    const sharable = sockets === undefined && methods === undefined;
    const made = sharable ? shared.get(forward) : undefined;
    if (made?.filters === filters) return made.pipeline;
    const pipeline = new Pipeline(filters, new ProxyHandler(plan), delivery(filters));
    if (sharable) shared.set(forward, { pipeline, filters });
    return pipeline;
  };
}

/** Deliveries without a limit for silent clients: one for each list of filters. */
function deliveries(): (filters: readonly Filter[]) => Delivery {
  const made = new Map<readonly Filter[], Delivery>();
  return (filters) => {
    let one = made.get(filters);
    if (one === undefined) made.set(filters, one = new Delivery(filters, undefined));
    return one;
  };
}

/** The rewriting of header fields on routes without `headers` of their own. */
function headerRules({ headers }: ProxyConfig, { site, serverName, viaMark }: SiteRoutesContext): HeaderRules {
  const requestIdName = site.request_id.header.toLowerCase();
  const tellsCertificate = tlsOf(site)?.client_auth?.headers;
  return {
    requestHeaders: new RequestHeaders(headers, { viaName: viaMark, requestIdName, tellsCertificate }),
    responseHeaders: new ResponseHeaders({
      viaName: viaToken(serverName),
      untrustedName: site.request_id.trust ? "" : requestIdName,
    }),
  };
}
