/**
 * Explains how a request would be handled: it is processed as any request, up to where it would be counted or forwarded.
 *
 * @module
 */

import type { SiteConfig } from "./config/config_types.ts";
import { headerValue } from "../http/header_lines.ts";
import { slashLocation } from "../http/slash_location.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";
import type { DryRun, Exchange } from "../exchange/exchange.ts";
import type { ForwardPlan } from "../handlers/proxy/forward.ts";
import type { ForwardFailure } from "../handlers/proxy/forward_failure.ts";
import { matchPath } from "../routing/match_path.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { isDynamic } from "./pools/dynamic_upstreams.ts";
import { explainForward, shownRoute } from "./explained_forward.ts";
import { fileSettings, limitSettings, routeSettings, siteSettings } from "./explained_settings.ts";
import type { ExplainedPool, ExplainedRoute, ExplainedUpstream, Explanation } from "./explanation.ts";
import type { Generation, GenerationListener } from "./generation.ts";
import { locateUrl } from "./located_url.ts";
import { Refusal } from "../http/refusal.ts";
import { readRequest } from "../listener/runtime/request_reader.ts";
import { listenerKind } from "../listener/listener_choice.ts";
import type { Site } from "./site.ts";
import { LONGER_PREFIX, whyNotRoute, whyNotSite, whyRoute, whySite } from "./why_not.ts";

/** A request to be explained. */
export interface ExplainedRequest {
  readonly method: string;
  /** URL with scheme, host and port; or a host and a path; or a path. */
  readonly url: string;
  readonly headers: Headers;
  /** Address of the client. */
  readonly client: string;
}

/** State of a running server, for explanations that contain more than the config. */
export interface ExplainOptions {
  /** Ports that listeners have, in the order of the generation's, where they are open; without them, those of the config. */
  readonly ports?: readonly number[];
  /** The state of an upstream, where a server runs. */
  readonly stateOf?: (upstream: Upstream, place: { site: string; pool: string }) => string;
}

/** Why a redirect of the config, such as one of `[[sites.redirects]]`, is the outcome. */
const SITE_REDIRECT = "a redirect of the site";

/** Maximum number of other routes in an explanation. */
const MOST_ROUTES = 100;

/**
 * Explains a request. Nothing is sent, counted or logged; files are searched for as usual.
 *
 * @throws {TypeError} When `url` is no URL.
 */
export async function explain(
  generation: Generation,
  request: ExplainedRequest,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const { url, authority, target, notes, noListener, found } = locateUrl(generation, request.url, {
    opened: options.ports,
    hostField: request.headers.get("host"),
  });
  const about = { request, url, notes };
  if (found === undefined) return refusedBefore(about, { status: null, why: noListener, listener: null });
  const { listener, port } = found;
  const where = `${listener.address === undefined ? "" : bracketed(listener.address)}:${port}`;
  const headers = new Headers(request.headers);
  if (!headers.has("host")) headers.set("host", authority);
  // In the form of the runtime's server, for either listener: a URL in which dot segments are not resolved.
  const received = { method: request.method, url: `http://${headers.get("host")}${target}`, headers } as Request;
  const remoteAddr = { transport: "tcp", hostname: request.client, port: 0 } as const;
  const { server } = generation.config;
  // A `Request`, which is what middleware is given, has no body of a GET either.
  const readsAllBodies = listenerKind(server) === "own" && server.middleware === undefined;
  const head = readRequest(received, { remoteAddr }, { ownPort: false, scheme: "http", readsAllBodies });
  if (head instanceof Refusal) {
    return refusedBefore(about, { status: head.status, why: head.cause, listener: where });
  }
  return await explainHead(generation, head, { about, where, listener, options });
}

interface About {
  readonly request: ExplainedRequest;
  readonly url: string;
  readonly notes: readonly string[];
}

async function explainHead(
  generation: Generation,
  head: RequestHead,
  { about, where, listener, options }: {
    about: About;
    where: string;
    listener: GenerationListener;
    options: ExplainOptions;
  },
): Promise<Explanation> {
  const { config } = generation;
  const site = listener.sites.find(head.host);
  const how = listener.sites.how(head.host);
  const neighbours = generation.sites.filter((other) => other !== site && sameListener(other.config, site.config));
  let socket = false;
  let taken = -1;
  const dryRun: DryRun = {
    route: -1,
    forward: (upgrades) => {
      taken = dryRun.route;
      socket = upgrades;
      return { status: 204, headers: [], body: null };
    },
  };
  const exchange = generation.exchanges.dryRun(head, site, dryRun, listenerKind(config.server) === "own");
  const response = await site.respond(exchange);
  if (response.body !== null && !(response.body instanceof Uint8Array)) response.body.cancel("It is only explained");
  const winner = taken >= 0
    ? site.routes[taken]
    : site.routes.find(({ path }) => exchange.route !== "" && path === exchange.route);
  const plan = taken >= 0 ? winner?.target.forward : undefined;
  // A rewrite may have replaced the client's.
  const routed = exchange.head;
  const others = otherRoutes(site, routed, winner);
  const internal = site.internal.takes(routed);
  const files = plan === undefined && !internal ? await site.searchFile(routed) : undefined;
  const proxy = site.config.proxy;
  const routeConfig = winner === undefined ? undefined : proxy?.routes[site.routes.indexOf(winner)];
  const forward = plan === undefined ? undefined : await explainForward(config, { exchange, plan, site, socket });
  const outcome = outcomeOf({
    ...{ response, exchange, head: routed, site, plan, socket, file: files?.file, refusal: forward?.refusal },
  });
  const rewritten = routed.original !== undefined && outcome.why !== SITE_REDIRECT;
  return {
    ...common(about, { head, exchange, listener: where }),
    rewritten: rewritten ? routed.path + routed.query : null,
    site: { name: site.config.name, hosts: site.hosts, why: whySite(site, how, head.host, neighbours.length === 0) },
    otherSites: neighbours.map((other) => ({
      name: other.config.name,
      hosts: other.hosts,
      why: whyNotSite(other, { how, host: head.host, by: site }),
    })),
    ...outcome,
    route: winner === undefined
      ? null
      : { ...routeOf(winner), why: whyRoute(winner, others.some(({ why }) => why === LONGER_PREFIX)) },
    otherRoutes: others.slice(0, MOST_ROUTES).map(({ route, why }) => ({ ...routeOf(route), why })),
    moreRoutes: Math.max(0, others.length - MOST_ROUTES),
    forward: forward?.head === undefined
      ? null
      : { head: forward.head, hostOfUpstream: plan?.preserve_host === false, websocket: socket },
    pool: plan === undefined || forward?.refusal !== undefined ? null : poolOf(site, plan, options),
    files: files === undefined || site.config.static_dir === undefined
      ? null
      : { root: site.config.static_dir, tried: files.tried, file: files.file ?? null },
    settings: {
      ...(plan !== undefined && proxy !== undefined && routeConfig !== undefined
        ? routeSettings(config, site.config, proxy, shownRoute(config, site.config, routeConfig))
        : files !== undefined
        ? fileSettings(site.config)
        : siteSettings(site.config)),
      ...(listenerKind(config.server) === "own" ? limitSettings(listener.clients.limits) : {}),
    },
  };
}

function common(
  { request, url, notes }: About,
  { head, exchange, listener }: { head?: RequestHead; exchange?: Exchange; listener: string | null },
): Pick<Explanation, "request" | "listener" | "notes"> {
  return {
    request: {
      method: request.method,
      url,
      host: head?.host ?? "",
      path: head?.path ?? "",
      query: head?.query ?? "",
      client: exchange?.clientAddress ?? request.client,
    },
    listener,
    notes,
  };
}

function refusedBefore(
  about: About,
  { status, why, listener }: { status: number | null; why: string; listener: string | null },
): Explanation {
  return {
    ...common(about, { listener }),
    ...{ rewritten: null, site: null, otherSites: [], outcome: "refused", status, why, location: null },
    ...{ route: null, otherRoutes: [], moreRoutes: 0, forward: null, pool: null, files: null, settings: {} },
  };
}

function outcomeOf({ response, exchange, head, site, plan, socket, file, refusal }: {
  response: HttpResponse;
  exchange: Exchange;
  head: RequestHead;
  site: Site;
  plan: ForwardPlan | undefined;
  socket: boolean;
  file: string | undefined;
  refusal: ForwardFailure | undefined;
}): Pick<Explanation, "outcome" | "status" | "why" | "location"> {
  const location = headerValue(response.headers, "location") ?? null;
  if (refusal !== undefined) {
    return { outcome: "refused", status: refusal.status, why: refusal.message, location: null };
  }
  if (plan !== undefined) {
    const why = socket ? "a route takes it, as a WebSocket handshake" : "a route takes it";
    return { outcome: "upstream", status: null, why, location: null };
  }
  if (site.internal.takes(head) && exchange.cause === "") {
    const why = response.status === 405
      ? `an endpoint of the site, which takes GET alone`
      : "an endpoint of the site itself";
    return { outcome: "endpoint", status: response.status === 405 ? 405 : null, why, location: null };
  }
  const { status } = response;
  if (status >= 300 && status < 400 && location !== null) {
    const slash = location === slashLocation(head) + exchange.query;
    return { outcome: "redirect", status, why: slash ? 'the path lacks the "/" at its end' : SITE_REDIRECT, location };
  }
  if (exchange.cause !== "") return { outcome: "refused", status, why: exchange.cause, location: null };
  if (file !== undefined) return { outcome: "files", status, why: "a file of the site", location: null };
  const listed = head.method === "GET" || head.method === "HEAD";
  return { outcome: "files", status, why: listed ? "the list of a folder" : "the site itself", location: null };
}

function otherRoutes(site: Site, head: RequestHead, winner: Site["routes"][number] | undefined) {
  const path = matchPath(head.path);
  const others = site.routes.filter((route) => route !== winner).map((route) => ({
    route,
    ...(path === undefined
      ? { why: "the path is badly encoded", matches: false }
      : whyNotRoute(route, { path, method: head.method }, winner)),
  }));
  return [...others.filter(({ matches }) => matches), ...others.filter(({ matches }) => !matches)];
}

function routeOf({ path, kind, methods }: Site["routes"][number]): Omit<ExplainedRoute, "why"> {
  return { path, kind, methods: methods ?? null };
}

function poolOf(site: Site, { pool }: ForwardPlan, { stateOf }: ExplainOptions): ExplainedPool {
  const proxy = site.config.proxy;
  const found: ExplainedUpstream[] = pool.upstreams.map((upstream) => ({
    ...{ url: upstream.url, weight: upstream.weight, backup: upstream.backup, note: null },
    state: stateOf?.(upstream, { site: site.config.name, pool: pool.name }) ?? null,
    inFlight: stateOf === undefined ? null : upstream.inFlight,
  }));
  const named = proxy?.upstreams.filter((entry) => entry.name === pool.name && isDynamic(entry)) ?? [];
  // In a running server the addresses were looked up and their upstreams are in `found`.
  const unknown = stateOf === undefined ? named : [];
  return {
    name: pool.name,
    policy: proxy?.load_balancing.method ?? "",
    upstreams: [
      ...found,
      ...unknown.map(({ url, weight, backup }) => ({
        ...{ url, weight, backup, note: "its addresses are looked up while the server runs" },
        ...{ state: null, inFlight: null },
      })),
    ],
  };
}

function sameListener(a: SiteConfig, b: SiteConfig): boolean {
  return a.listen === b.listen && a.port === b.port && a.port !== 0;
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
