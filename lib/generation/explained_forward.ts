/**
 * The head of the request that goes upstream, to be shown: secrets, and what came into the config by `${NAME}`, are masked.
 *
 * @module
 */

import type { Config, SiteConfig } from "./config/config_types.ts";
import { isSecret, MASK } from "../config/secret_names.ts";
import { plainUrl } from "../upstream/upstream_url.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ForwardPlan } from "../handlers/proxy/forward.ts";
import { ForwardFailure } from "../handlers/proxy/forward_failure.ts";
import { takeBody } from "../handlers/proxy/body_framing.ts";
import { upstreamHead, upstreamTarget } from "../handlers/proxy/upstream_request.ts";
import { parseEndpoint } from "../sockets/endpoint.ts";
import { UpstreamHandshake } from "../handlers/websocket/upstream_handshake.ts";
import type { Site } from "./site.ts";

/**
 * The lines of the head for the first upstream, or why the request is refused. Another upstream differs in its base path, and
 * in Host where that is its own.
 */
export async function explainForward(
  config: Config,
  { exchange, plan, site, socket }: { exchange: Exchange; plan: ForwardPlan; site: Site; socket: boolean },
): Promise<{ head?: string[]; refusal?: ForwardFailure }> {
  const entry = site.config.proxy?.upstreams.find(({ name }) => name === plan.pool.name);
  const endpoint = plan.pool.upstreams.at(0)?.endpoint ??
    (entry === undefined ? undefined : parseEndpoint(plainUrl(entry.url)));
  if (endpoint === undefined) return {};
  try {
    const target = upstreamTarget(exchange.head, plan);
    const framing = socket ? "" : await framingOf(exchange, plan);
    const shown = `${site.config.proxy === undefined ? "" : shownBase(config, site.config, plan.pool.name)}`;
    const text = upstreamHead(
      { exchange, plan, target: maskedTarget(config, site, plan, target), framing },
      shown === "" ? endpoint : { ...endpoint, basePath: shown },
      // Its key is another one each time.
      socket ? new UpstreamHandshake().ask() : "",
    );
    return { head: text.split("\r\n").filter((line) => line !== "").map((line) => maskedField(config, site, line)) };
  } catch (error) {
    if (error instanceof ForwardFailure) return { refusal: error };
    throw error;
  }
}

async function framingOf(exchange: Exchange, plan: ForwardPlan): Promise<string> {
  const { framing, body } = await takeBody(exchange, plan.body);
  body?.cancel();
  return framing;
}

function isSubstituted({ substituted = {}, sites }: Config, site: SiteConfig, path: string): boolean {
  return `sites[${sites.indexOf(site)}].proxy.${path}` in substituted;
}

function shownBase(config: Config, site: SiteConfig, pool: string): string {
  const index = site.proxy?.upstreams.findIndex(({ name }) => name === pool) ?? -1;
  const url = plainUrl(site.proxy?.upstreams[index]?.url ?? "");
  if (!isSubstituted(config, site, `upstreams[${index}].url`) || !/^[a-z]+:\/\/[^/]*\/./i.test(url)) return "";
  return `/${MASK}`;
}

/** A route without what is not to be shown. */
export function shownRoute<Route extends { rewrite_target?: string | undefined }>(
  config: Config,
  site: SiteConfig,
  route: Route,
): Route {
  const index = (site.proxy?.routes as readonly unknown[] | undefined)?.indexOf(route) ?? -1;
  if (!isSubstituted(config, site, `routes[${index}].rewrite_target`)) return route;
  return { ...route, rewrite_target: MASK };
}

function maskedTarget(config: Config, site: Site, plan: ForwardPlan, target: string): string {
  const index = site.routes.findIndex((route) => route.target.forward === plan);
  const rewritten = site.config.proxy?.routes[index]?.rewrite_target;
  if (rewritten === undefined || !isSubstituted(config, site.config, `routes[${index}].rewrite_target`)) return target;
  return target.startsWith(rewritten) ? `/${MASK}/${target.slice(rewritten.length).replace(/^\//, "")}` : `/${MASK}`;
}

function maskedField(config: Config, site: Site, line: string): string {
  const colon = line.indexOf(":");
  const name = line.slice(0, colon);
  // The request line has a space before any colon
  if (colon < 0 || name.includes(" ")) return line;
  const value = line.slice(colon + 2);
  // The proxy's own, of this handshake alone
  if (name === "sec-websocket-key") return line;
  const written = headerTables(site.config).some(([table, fields]) =>
    fields.some((field) =>
      field.toLowerCase() === name.toLowerCase() &&
      isSubstituted(config, site.config, `${table}.${/^[\w-]+$/.test(field) ? field : JSON.stringify(field)}`)
    )
  );
  return written || isSecret(value, ["headers", name]) ? `${name}: ${MASK}` : line;
}

/** The tables that write fields of requests, by their path below the proxy, with the names in each. */
function headerTables({ proxy }: SiteConfig): (readonly [table: string, fields: readonly string[]])[] {
  if (proxy === undefined) return [];
  const routes = proxy.routes.map(({ headers }, index) => [`routes[${index}].headers`, headers ?? {}] as const);
  return [["headers", proxy.headers] as const, ...routes].flatMap(([path, { add, request }]) => [
    [`${path}.add`, Object.keys(add ?? {})] as const,
    [`${path}.request.set`, Object.keys(request?.set ?? {})] as const,
    [`${path}.request.add`, Object.keys(request?.add ?? {})] as const,
  ]);
}
