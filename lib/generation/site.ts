/**
 * One site of a generation: its routes, its files, its own endpoints, its error pages, all built beforehand.
 *
 * @module
 */

import type { ProxyConfig } from "../handlers/proxy/config/proxy_schema.ts";
import type { ServerConfig } from "../process/server_schema.ts";
import type { SiteConfig } from "./config/config_types.ts";
import { plainUrl } from "../upstream/upstream_url.ts";
import { allowed, noHopLeft } from "../http/max_forwards.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";
import { viaToken } from "../http/via_token.ts";
import type { Exchange, Rehearsal } from "../exchange/exchange.ts";
import { forward, type ForwardPlan } from "../handlers/proxy/forward.ts";
import { ForwardFailure } from "../handlers/proxy/forward_failure.ts";
import { RequestHeaders } from "../handlers/proxy/request_headers.ts";
import { ResponseHeaders } from "../handlers/proxy/response_headers.ts";
import { isFault, readUpgrade } from "../handlers/websocket/handshake.ts";
import type { RouteBinding } from "../handlers/websocket/socket_registry.ts";
import { matchPath } from "../routing/match_path.ts";
import type { RouteSpec } from "../routing/route.ts";
import { parseEndpoint } from "../sockets/endpoint.ts";
import { compileRoutes, type RouteTable } from "../routing/route_table.ts";
import { routeOfPath } from "../routing/routed_path.ts";
import type { FileSearch, FileServer } from "../handlers/files/file_server.ts";
import { shortageOf } from "../failure/shortage.ts";
import type { Pool } from "../upstream/pool.ts";
import { attemptLimits, clientTimeoutMs } from "../handlers/proxy/attempt_limits.ts";
import { CountedBody, type StallWatch } from "../exchange/counted_body.ts";
import type { DynamicUpstreams } from "./pools/dynamic_upstreams.ts";
import { ErrorPages } from "../features/error_pages.ts";
import { failureLines } from "../handlers/proxy/failure_lines.ts";
import type { RouteMetrics } from "../exchange/route_metrics.ts";
import { SiteMetrics } from "./metrics/site_metrics.ts";
import { type InternalEndpoint, internalEndpoints } from "../handlers/internal/internal_api.ts";
import { OncePerSecond } from "../state/once_per_second.ts";
import { PlainHandshakes } from "../handlers/proxy/plain_handshakes.ts";
import type { PoolMembers } from "./pools/pool_members.ts";
import { createPools, type PoolsContext } from "./pools/pools.ts";
import { proxyOfRoute } from "../handlers/proxy/route_settings.ts";
import { compileRewrite } from "../handlers/proxy/rewrite.ts";
import { compileRedirects, forwardedPrefix } from "../handlers/proxy/route_redirects.ts";
import { SiteHeaders } from "../features/site_headers.ts";
import { siteFiles } from "../handlers/files/site_files.ts";
import { slashPathOf, slashRedirect, slashRedirects, type SlashTarget } from "../features/slash_redirect.ts";
import { readiness } from "./readiness.ts";
import { socketPlace, type SocketPlan, SocketUpgrade } from "../handlers/websocket/socket_route.ts";

/** What a site needs besides its config. */
export interface SiteContext extends Omit<PoolsContext, "site"> {
  /** `[server]` of the config. */
  readonly server: ServerConfig;
  /** Key of its listener. */
  readonly listener: string;
  /** Sites without what is not to be shown, where there is such. */
  readonly shownSites: ReadonlyMap<SiteConfig, SiteConfig>;
}

/** What a route leads to; built once. */
export interface RoutePlan extends SlashTarget {
  /** Its path, as written. */
  readonly path: string;
  /** Its place among the routes of the site, from 0. */
  readonly index: number;
  readonly methods: readonly string[] | undefined;
  readonly forward: ForwardPlan;
  /** For routes that may upgrade. */
  readonly sockets: SocketPlan | undefined;
  readonly metrics: RouteMetrics | undefined;
}

/** A site that answers requests. Owned by its generation. */
export class Site {
  /** Its config. */
  readonly config: SiteConfig;
  /** All its host names; none means any. */
  readonly hosts: readonly string[];
  /** Its pools by name. */
  readonly pools: ReadonlyMap<string, Pool>;
  /** Who is in each of them, by its name. */
  readonly members: ReadonlyMap<string, PoolMembers>;
  /** Upstreams whose addresses are looked up. */
  readonly dynamic: readonly DynamicUpstreams[];
  /** Name of the field that carries request ids, in lower case. */
  readonly requestIdName: string;
  /** Its metrics; undefined where none are kept. */
  readonly metrics: SiteMetrics | undefined;
  /** The pools of routes that upgrade, by what {@linkcode socketPlace} calls the route. */
  readonly #socketPools = new Map<string, Pool>();
  /** Its routes, in the order of the config. */
  readonly routes: readonly RouteSpec<RoutePlan>[];
  readonly #routes: RouteTable<RoutePlan> | undefined;
  readonly #files: FileServer | undefined;
  readonly #endpoints: ReadonlyMap<string, InternalEndpoint>;
  readonly #errorPages: ErrorPages;
  readonly #headers: SiteHeaders;
  /** Names this process in the Via of its requests. */
  readonly #viaMark: string;
  readonly #plainHandshakes: PlainHandshakes;
  readonly #stall: StallWatch;

  /**
   * Builds the site.
   *
   * @throws {Error} When a file that the config names cannot be read.
   */
  constructor(config: SiteConfig, context: SiteContext) {
    this.config = config;
    this.hosts = config.hostname === undefined ? config.hostnames : [config.hostname, ...config.hostnames];
    this.#headers = new SiteHeaders(config);
    this.#plainHandshakes = new PlainHandshakes(config.name, context.processState.log);
    this.requestIdName = config.request_id.header.toLowerCase();
    this.#viaMark = `${viaToken(context.server.name)}-${context.processState.mark}`;
    this.#stall = {
      clock: context.processState.clock,
      timeoutMs: clientTimeoutMs(config.proxy?.timeout),
    };
    this.#errorPages = new ErrorPages(config.error_pages);
    const proxy = config.proxy?.enabled === true ? config.proxy : undefined;
    this.metrics = context.metrics && new SiteMetrics(context.metrics, config.name, proxy?.routes ?? []);
    const pools = proxy === undefined ? undefined : createPools(proxy, { ...context, site: config.name });
    this.pools = pools?.byName ?? new Map();
    this.members = pools?.members ?? new Map();
    this.dynamic = pools?.dynamic ?? [];
    this.routes = proxy === undefined ? [] : this.#plan(proxy, context);
    this.#routes = proxy === undefined ? undefined : compileRoutes(this.routes);
    this.#files = siteFiles(config, context.processState.log, slashRedirects(this.routes, this.#routes));
    this.#endpoints = internalEndpoints({
      site: config,
      shown: context.shownSites.get(config) ?? config,
      readiness: () => readiness(this.pools.values(), context.processState),
      startedMs: context.processState.startedMs,
    });
  }

  /** Answers a request: its own endpoints first, then routes, then files. Never throws and never rejects. */
  answer(exchange: Exchange): HttpResponse | Promise<HttpResponse> {
    exchange.site = this.config.name;
    this.#countIn(exchange, this.metrics?.unrouted);
    const { via } = exchange.head;
    if (via !== undefined && via !== "" && via.includes(this.#viaMark)) return this.#looped(exchange);
    try {
      return this.#choose(exchange);
    } catch (error) {
      return this.#broken(exchange, error);
    }
  }

  /** The answer to a request that cannot be served, whose cause is noted; ends the exchange. */
  refuse(exchange: Exchange, status: number): HttpResponse {
    exchange.site = this.config.name;
    return this.fail(exchange, status, exchange.cause);
  }

  /** Whether a WebSocket's route is still there, unchanged, and its upstream with it. */
  keeps({ route, upstream }: RouteBinding): boolean {
    const pool = this.#socketPools.get(route);
    return pool?.upstreams.some(({ id }) => id === upstream) === true;
  }

  /** The endpoint of its own that answers a request; undefined where it is for routes and files. */
  endpointFor(head: RequestHead): InternalEndpoint | undefined {
    return this.#endpoints.get(head.path.includes("%") ? matchPath(head.path) ?? "" : head.path);
  }

  /** How the file for a request is looked for; undefined where it serves none, or a route takes or refuses the request. */
  searchFile(head: RequestHead): Promise<FileSearch> | undefined {
    const found = this.#routes && routeOfPath(this.#routes, head.path, head.method);
    if (found === "ambiguous" || found?.matched === true) return undefined;
    return this.#files?.explain(head);
  }

  #choose(exchange: Exchange): HttpResponse | Promise<HttpResponse> {
    const { head } = exchange;
    const endpoint = this.endpointFor(head);
    if (endpoint !== undefined) {
      const answer = endpoint(head);
      if (answer.missing !== undefined) {
        exchange.tellsState = true;
        exchange.failed(answer.missing, "proxy");
      }
      return this.#finished(exchange, answer);
    }
    if (this.#routes !== undefined) {
      const found = routeOfPath(this.#routes, head.path, head.method);
      if (found === "ambiguous") {
        return this.fail(
          exchange,
          400,
          "The path is badly encoded, or means another route once its dot segments are resolved",
        );
      }
      if (found?.matched === true) {
        if (noHopLeft(head)) return this.#lastHop(exchange, found.target);
        return this.#forwarded(exchange, found.target);
      }
      if (found?.matched === false && this.#files === undefined) {
        return this.fail(exchange, 405, `No route takes ${head.method}`, ["allow", found.allow.join(", ")]);
      }
    }
    if (this.#files === undefined) {
      return this.#redirectToSlash(exchange) ?? this.fail(exchange, 404, "No route and no file takes this path");
    }
    return this.#served(exchange, this.#files);
  }

  /** The redirect to the route of this path with a slash at its end; undefined where there is none. Asked last. */
  #redirectToSlash(exchange: Exchange): HttpResponse | undefined {
    const found = this.#routes && slashRedirect(this.#routes, exchange.head);
    if (found === undefined) return undefined;
    exchange.route = found.target.path;
    return this.#finished(exchange, { status: 308, headers: ["location", found.location], body: null });
  }

  /** The answer to a failed request; ends the exchange. */
  fail(exchange: Exchange, status: number, cause: string, lines: readonly string[] = []): HttpResponse {
    if (exchange.cause === "") exchange.failed(cause, status < 500 ? "client" : "proxy");
    return this.#finished(exchange, this.#errorPages.answer(exchange.head, status, exchange.requestId, lines));
  }

  /** Lets go of what it holds: idle connections, file memory. What is under way ends by itself. */
  close(): void {
    for (const dynamic of this.dynamic) dynamic.stop();
    for (const pool of this.pools.values()) pool.close();
    this.#files?.close();
  }

  #plan(proxy: ProxyConfig, context: SiteContext): RouteSpec<RoutePlan>[] {
    const { server } = context;
    const common = this.#headerRules(proxy, server);
    const sockets = {
      config: proxy.websocket,
      sockets: context.processState.sockets,
      clock: context.processState.clock,
    };
    return proxy.routes.map((route, index) => {
      const pool = this.pools.get(route.upstream) as Pool;
      if (route.websocket) this.#socketPools.set(socketPlace(context.listener, this.config.name, route), pool);
      const hasBase = proxy.upstreams.some((entry) =>
        entry.name === route.upstream && parseEndpoint(plainUrl(entry.url)).basePath !== ""
      );
      const own = proxyOfRoute(proxy, route);
      const { requestHeaders, responseHeaders } = route.headers === undefined ? common : this.#headerRules(own, server);
      return {
        path: route.path,
        kind: route.exact ? "exact" : route.pattern ? "pattern" : "prefix",
        methods: route.methods,
        target: {
          path: route.path,
          index,
          methods: route.methods,
          slashPath: slashPathOf(route),
          forward: {
            pool,
            rewrite: compileRewrite(route, hasBase),
            preserveHost: own.preserve_host,
            requestHeaders,
            responseHeaders,
            redirects: compileRedirects(route, own, { hasBase, host: requestHeaders.host }),
            forwardedPrefix: forwardedPrefix(route),
            body: {
              maxBytes: route.max_body_size ?? this.config.max_body_size ?? server.max_body_size ?? Infinity,
              retry_buffer: own.retries.retry_buffer,
              readAhead: context.processState.readAhead,
            },
            retries: own.retries,
            limits: attemptLimits(own.timeout, route),
          },
          sockets: route.websocket
            ? {
              ...sockets,
              route: socketPlace(context.listener, this.config.name, route),
              metrics: this.metrics?.route(route.path),
            }
            : undefined,
          metrics: this.metrics?.route(route.path),
        },
      };
    });
  }

  /** How header fields are rewritten on routes that have the headers of `proxy`. */
  #headerRules(proxy: ProxyConfig, server: ServerConfig) {
    const { headers } = proxy;
    return {
      requestHeaders: new RequestHeaders({
        addXForwarded: headers.add_x_forwarded,
        addForwarded: headers.add_forwarded,
        viaName: this.#viaMark,
        requestIdName: this.requestIdName,
        set: Object.entries(headers.request.set).flat(),
        add: Object.entries(headers.add).concat(Object.entries(headers.request.add)).flat(),
        remove: [...headers.remove, ...headers.request.remove],
      }),
      responseHeaders: new ResponseHeaders(this.#headers.proxied(proxy, viaToken(server.name))),
    };
  }

  #forwarded(exchange: Exchange, plan: RoutePlan): HttpResponse | Promise<HttpResponse> {
    exchange.route = plan.path;
    if (exchange.rehearsal !== undefined) return this.#rehearsed(exchange, plan, exchange.rehearsal);
    this.metrics?.unrouted.left();
    this.#countIn(exchange, plan.metrics);
    return this.#passedOn(exchange, plan).catch((error) => {
      if (!(error instanceof ForwardFailure)) return this.#broken(exchange, error);
      exchange.failed(error.message, error.owner);
      return this.fail(exchange, error.status, error.message, failureLines(error, exchange, plan.forward.retries));
    });
  }

  #rehearsed(exchange: Exchange, { index, sockets }: RoutePlan, rehearsal: Rehearsal): HttpResponse {
    const upgrade = sockets && readUpgrade(exchange.head);
    if (upgrade === undefined || !isFault(upgrade)) return rehearsal(index, upgrade !== undefined);
    return this.fail(exchange, upgrade.status, upgrade.fault, upgrade.lines);
  }

  #passedOn(exchange: Exchange, plan: RoutePlan): Promise<HttpResponse> {
    const asked = exchange.head.upgrade;
    if (asked === "") return forward(exchange, plan.forward);
    const upgrade = readUpgrade(exchange.head);
    if (upgrade === undefined) return forward(exchange, plan.forward);
    if (plan.sockets === undefined) {
      this.#plainHandshakes.note(plan.path);
      return forward(exchange, plan.forward);
    }
    if (isFault(upgrade)) return Promise.resolve(this.fail(exchange, upgrade.status, upgrade.fault, upgrade.lines));
    if (plan.sockets.sockets.draining) return Promise.reject(new ForwardFailure(503, "The proxy is stopping", "proxy"));
    const fail = (cause: string) => this.fail(exchange, 500, cause);
    return forward(exchange, plan.forward, new SocketUpgrade(exchange, upgrade, { plan: plan.sockets, fail }));
  }

  // The answer of the last recipient that a request wants. TRACE would show fields that others put in, such as cookies.
  #lastHop(exchange: Exchange, { path, methods }: RoutePlan): HttpResponse {
    exchange.route = path;
    const lines = ["allow", allowed(methods)];
    if (exchange.head.method === "TRACE") return this.fail(exchange, 405, "TRACE is not answered here", lines);
    return this.#finished(exchange, { status: 204, headers: lines, body: null });
  }

  // RFC 5842, section 7.2. An endless loop would use up every connection: it ends where the request comes back.
  #looped(exchange: Exchange): HttpResponse {
    exchange.unlogged = !loopLines.allows();
    exchange.failed("The request has been here before: an upstream leads back to this server", "proxy");
    return this.fail(exchange, 508, exchange.cause);
  }

  #countIn(exchange: Exchange, metrics: RouteMetrics | undefined): void {
    if (exchange.rehearsal !== undefined) return;
    exchange.metrics = metrics;
    metrics?.began();
  }

  #served(exchange: Exchange, files: FileServer): HttpResponse | Promise<HttpResponse> {
    const answer = files.serve(exchange.head);
    return answer instanceof Promise
      ? answer.then((late) => this.#servedResponse(exchange, files, late)).catch((error) =>
        this.#broken(exchange, error)
      )
      : this.#servedResponse(exchange, files, answer);
  }

  #servedResponse(exchange: Exchange, files: FileServer, answer: HttpResponse): HttpResponse {
    if (answer.status < 400 || answer.status === 412) return this.#finished(exchange, answer);
    const redirect = answer.status === 404 ? this.#redirectToSlash(exchange) : undefined;
    if (redirect !== undefined) return redirect;
    return this.fail(exchange, answer.status, files.reason(exchange.head, answer.status), answer.headers);
  }

  // Only a mistake in BWS, or a machine that has no memory or no file handles left, leads here.
  #broken(exchange: Exchange, error: unknown): HttpResponse {
    const shortage = shortageOf(error);
    if (shortage !== undefined) {
      return this.fail(exchange, 503, `Cannot answer: ${shortage.advice}`, ["retry-after", "1"]);
    }
    const reason = error instanceof Error ? error.stack ?? error.message : String(error);
    exchange.failed(`Internal error: ${reason}`, "proxy");
    return this.fail(exchange, 500, exchange.cause);
  }

  #finished(exchange: Exchange, answer: HttpResponse): HttpResponse {
    this.#headers.finish(answer.headers, exchange.requestId);
    exchange.status = answer.status;
    const { body } = answer;
    if (body !== null && !(body instanceof Uint8Array)) {
      return { ...answer, body: new CountedBody(body, exchange, this.#stall) };
    }
    exchange.bytes = exchange.head.method === "HEAD" ? 0 : body?.length ?? 0;
    exchange.end();
    return answer;
  }
}

/** Loops make many lines that say the same. */
const loopLines = new OncePerSecond();
