/**
 * One site of a generation: its handlers, each with the filters before it, all built once.
 *
 * @module
 */

import { Delivery } from "../exchange/delivery.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { ExchangeFailure, failureOf } from "../exchange/exchange_failure.ts";
import type { Filter, Handler } from "../exchange/filter.ts";
import { Pipeline } from "../exchange/pipeline.ts";
import type { RouteMetrics } from "../exchange/route_metrics.ts";
import { preflightMethod } from "../features/cors/cors.ts";
import { SiteFilters } from "../features/filters.ts";
import { FileHandler } from "../handlers/files/file_handler.ts";
import type { FileSearch, FileServer } from "../handlers/files/file_server.ts";
import { siteFiles } from "../handlers/files/site_files.ts";
import { InternalHandler } from "../handlers/internal/internal_handler.ts";
import { clientTimeoutMs } from "../handlers/proxy/attempt_limits.ts";
import type { RouteBinding } from "../handlers/websocket/socket_registry.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";
import { viaToken } from "../http/via_token.ts";
import type { LoggingConfig, ServerConfig } from "../process/server_schema.ts";
import type { RouteSpec } from "../routing/route.ts";
import { compileRoutes, type RouteTable } from "../routing/route_table.ts";
import { routeOfPath } from "../routing/routed_path.ts";
import { OncePerSecond } from "../state/once_per_second.ts";
import { ServiceClient } from "../upstream/service_client.ts";
import type { Pool } from "../upstream/pool.ts";
import type { SiteConfig } from "./config/config_types.ts";
import type { DynamicUpstreams } from "./pools/dynamic_upstreams.ts";
import { SiteMetrics } from "./metrics/site_metrics.ts";
import type { PoolMembers } from "./pools/pool_members.ts";
import { createPools, type PoolsContext } from "./pools/pools.ts";
import { readiness } from "./readiness.ts";
import { buildRoutes, type SiteRoute } from "./site_routes.ts";

/** What a site needs besides its config. */
export interface SiteContext extends Omit<PoolsContext, "site"> {
  /** `[server]` of the config. */
  readonly server: ServerConfig;
  /** Absolute path of the config's file, if it has one. */
  readonly configFile?: string | undefined;
  /** `[logging]` of the config. */
  readonly logging: LoggingConfig;
  /** Key of the site's listener. */
  readonly listener: string;
  /** Port on which the hosts of a site are reached by https. */
  readonly httpsPort: (site: SiteConfig) => number;
  /** Sites with secrets masked; only those that have any. */
  readonly shownSites: ReadonlyMap<SiteConfig, SiteConfig>;
}

/** A site that responds to requests. Owned by its generation. */
export class Site {
  readonly config: SiteConfig;
  /** All host names; empty means any. */
  readonly hosts: readonly string[];
  /** Pools by name. */
  readonly pools: ReadonlyMap<string, Pool>;
  /** Members of each pool, by the pool's name. */
  readonly members: ReadonlyMap<string, PoolMembers>;
  /** Upstreams whose addresses are looked up. */
  readonly dynamic: readonly DynamicUpstreams[];
  /** Name of the field that carries request ids, in lower case. */
  readonly requestIdName: string;
  /** Undefined where no metrics are kept. */
  readonly metrics: SiteMetrics | undefined;
  /** In the order of the config. */
  readonly routes: readonly RouteSpec<SiteRoute>[];
  /** Delivers responses to requests that match no route. */
  readonly delivery: Delivery;
  /** Responds on the site's own endpoints (`internal_api`). */
  readonly internal: InternalHandler;
  readonly #routes: RouteTable<SiteRoute> | undefined;
  /** In the order of the config. */
  readonly #routeTargets: readonly SiteRoute[];
  /** Number of the site among all that this thread has built. */
  readonly #number = ++built;
  /** Whether path and method alone choose the route. */
  readonly #keepsChoices: boolean;
  /** Whether the site or a route of it has `cors`. */
  readonly #preflights: boolean;
  readonly #files: FileServer | undefined;
  readonly #rewrites: Filter | undefined;
  readonly #services: ServiceClient[] = [];
  readonly #prepared: Promise<void>[] = [];
  readonly #internal: Pipeline;
  /** For requests that match no route. */
  readonly #unrouted: Pipeline;
  /** Identifies this process in the Via field of its requests. */
  readonly #viaMark: string;

  /**
   * Builds the site.
   *
   * @throws {Error} When a file that the config names cannot be read.
   */
  constructor(config: SiteConfig, context: SiteContext) {
    const { processState, server, logging } = context;
    this.config = config;
    this.hosts = config.hostname === undefined ? config.hostnames : [config.hostname, ...config.hostnames];
    this.requestIdName = config.request_id.header.toLowerCase();
    this.#viaMark = `${viaToken(server.name)}-${processState.mark}`;
    const proxy = config.proxy?.enabled === true ? config.proxy : undefined;
    this.metrics = context.metrics && new SiteMetrics(context.metrics, config.name, proxy?.routes ?? []);
    const filters = new SiteFilters(config, {
      ...{ server, logging, site: config, proxy: config.proxy, route: undefined },
      ...{ log: processState.log, clock: processState.clock, sharedState: context.sharedState },
      ...{ worker: processState.worker, mark: processState.mark },
      openService: (options) => {
        const client = new ServiceClient(options, processState);
        this.#services.push(client);
        return client;
      },
      awaitBefore: (prepared) => void this.#prepared.push(prepared),
      featureMetrics: (feature, set, route) => this.metrics?.feature(feature, set, route),
      matchRoute: (path, method) => this.#routes?.match(path, method),
      isEndpoint: (head) => this.internal.takes(head),
      httpsPort: context.httpsPort(config),
    });
    const pools = proxy === undefined ? undefined : createPools(proxy, { ...context, site: config.name });
    this.pools = pools?.byName ?? new Map();
    this.members = pools?.members ?? new Map();
    this.dynamic = pools?.dynamic ?? [];
    const unrouted = filters.unrouted;
    this.#preflights = config.cors !== undefined || proxy?.routes.some((route) => "cors" in route) === true;
    this.#rewrites = unrouted.find((filter) => filter.rewrite !== undefined);
    this.#files = siteFiles(config, processState.log, unrouted, context.configFile);
    this.routes = proxy === undefined ? [] : buildRoutes({
      ...{ site: config, proxy, pools: this.pools, filters, files: this.#files, metrics: this.metrics, processState },
      ...{ serverName: server.name, viaMark: this.#viaMark, listener: context.listener },
    });
    this.#routes = proxy === undefined ? undefined : compileRoutes(this.routes);
    this.#routeTargets = this.routes.map(({ target }) => target);
    this.#keepsChoices = this.#rewrites === undefined && !this.#preflights;
    this.internal = new InternalHandler({
      site: config,
      shown: context.shownSites.get(config) ?? config,
      readiness: () => readiness(this.pools.values(), processState),
      startedMs: processState.startedMs,
    });
    const stall = {
      clock: processState.clock,
      timeoutMs: clientTimeoutMs(config.proxy?.timeout),
    };
    this.delivery = new Delivery(unrouted, stall);
    this.#internal = new Pipeline(unrouted, this.internal, this.delivery);
    const handler = this.#files === undefined ? NOTHING : new FileHandler(this.#files);
    this.#unrouted = new Pipeline(unrouted, handler, this.delivery);
  }

  /** Responds to a request: from the site's own endpoints, else by a route, else from files. Never throws or rejects. */
  respond(exchange: Exchange): HttpResponse | Promise<HttpResponse> {
    this.claim(exchange);
    const { via } = exchange.head;
    if (via !== undefined && via !== "" && via.includes(this.#viaMark)) return this.#looped(exchange);
    try {
      return this.#choose(exchange);
    } catch (error) {
      return this.delivery.refuse(exchange, failureOf(error));
    }
  }

  /** Assigns the exchange to this site. */
  claim(exchange: Exchange): void {
    exchange.site = this.config.name;
    this.#count(exchange, this.metrics?.unrouted);
  }

  /** Whether the route and the upstream of an open WebSocket exist in this site, unchanged. */
  stillRouted({ route, upstream }: RouteBinding): boolean {
    return this.routes.some(({ target: { sockets, forward } }) =>
      sockets?.route === route && forward.pool.upstreams.some(({ id }) => id === upstream)
    );
  }

  /** How the file for a request is searched for; undefined where no files are served, or a route takes or refuses it. */
  searchFile(head: RequestHead): Promise<FileSearch> | undefined {
    const found = this.#routes && routeOfPath(this.#routes, head.path, head.method);
    if (found === "ambiguous") return undefined;
    if (found?.matched === true) return found.target.filesFirst?.explain(head);
    return this.#files?.explain(head);
  }

  /** Resolves when what features need at the start is there, or cannot be had. */
  get prepared(): Promise<unknown> {
    return Promise.all(this.#prepared);
  }

  /** Closes idle connections and releases file memory. Exchanges in flight are not affected. */
  close(): void {
    for (const dynamic of this.dynamic) dynamic.stop();
    for (const pool of this.pools.values()) pool.close();
    for (const service of this.#services) service.close();
    this.#files?.close();
  }

  #choose(exchange: Exchange): HttpResponse | Promise<HttpResponse> {
    const { choice, path, method } = exchange.head;
    if (choice?.site === this.#number && choice.method === method && choice.path === path) {
      return this.#routed(exchange, this.#routeTargets[choice.route]);
    }
    if (this.internal.takes(exchange.head)) return this.#internal.run(exchange);
    if (this.#rewrites !== undefined) {
      const refusal = this.#rewrites.rewrite?.(exchange);
      if (refusal !== undefined) return this.delivery.refuse(exchange, refusal);
      if (this.internal.takes(exchange.head)) return this.#internal.run(exchange);
    }
    const { head } = exchange;
    if (this.#routes !== undefined) {
      // A preflight belongs to the route of the request that it asks for.
      const asked = this.#preflights ? preflightMethod(head) ?? head.method : head.method;
      const found = routeOfPath(this.#routes, head.path, asked);
      if (found === "ambiguous") return this.delivery.refuse(exchange, AMBIGUOUS);
      if (found?.matched === true) {
        if (this.#keepsChoices && choice !== undefined && choice.path === path) {
          choice.site = this.#number;
          choice.method = method;
          choice.route = found.order;
        }
        return this.#routed(exchange, found.target);
      }
      if (found?.matched === false && this.#files === undefined) {
        const lines = ["allow", found.allow.join(", ")];
        return this.delivery.refuse(exchange, new ExchangeFailure(405, `No route takes ${head.method}`, { lines }));
      }
    }
    return this.#unrouted.run(exchange);
  }

  #routed(exchange: Exchange, route: SiteRoute): HttpResponse | Promise<HttpResponse> {
    const { path, metrics, pipeline } = route;
    exchange.route = path;
    if (exchange.dryRun !== undefined) exchange.dryRun.route = route.index;
    else {
      this.metrics?.unrouted.left();
      exchange.metrics = metrics;
      metrics?.began();
    }
    return pipeline.run(exchange);
  }

  // RFC 5842, section 7.2. A loop would use up every connection, so a request that comes back is refused.
  #looped(exchange: Exchange): HttpResponse {
    exchange.unlogged = !loopLines.allows();
    return this.delivery.refuse(exchange, LOOP);
  }

  #count(exchange: Exchange, metrics: RouteMetrics | undefined): void {
    if (exchange.dryRun !== undefined) return;
    exchange.metrics = metrics;
    metrics?.began();
  }
}

let built = 0;
const NOTHING: Handler = { handle: () => new ExchangeFailure(404, "No route and no file takes this path") };
const LOOP = new ExchangeFailure(508, "The request has been here before: an upstream leads back to this server");
const AMBIGUOUS = new ExchangeFailure(
  400,
  "The path is badly encoded, or means another route once its dot segments are resolved",
);

/** Limits log lines of loops, which would be many and equal. */
const loopLines = new OncePerSecond();
