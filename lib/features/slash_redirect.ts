/**
 * The redirect from `/api` to a route `/api/`. It is looked for when no route and no file at the path takes it;
 * a fixed entry of `try_files`, which would take every path, comes after it.
 *
 * @module
 */

import type { Exchange } from "../exchange/exchange.ts";
import type { ExchangeFailure } from "../exchange/exchange_failure.ts";
import type { Filter } from "../exchange/filter.ts";
import type { RouteConfig } from "../handlers/proxy/config/route_schema.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";
import { matchPath, writtenPath } from "../routing/match_path.ts";
import type { RouteSpec } from "../routing/route.ts";
import type { RouteTable } from "../routing/route_table.ts";

/** What a route's target says of it. */
export interface SlashTarget {
  /** The route's path, as written. */
  readonly path: string;
  /** The route's path in match form, where the path without its last slash is redirected to it. */
  readonly slashPath: string | undefined;
}

/** {@linkcode SlashTarget.slashPath} of a route. */
export function slashPathOf({ path, exact, pattern, redirect_slash }: RouteConfig): string | undefined {
  if (exact || pattern || !redirect_slash || path === "/" || !path.endsWith("/")) return undefined;
  // `//host/` would lead to another host.
  return path.startsWith("//") ? undefined : writtenPath(path);
}

/** The redirects to the routes of a site; undefined where none has one. */
export function slashRedirect(
  specs: readonly RouteSpec<SlashTarget>[],
  routes: RouteTable<SlashTarget> | undefined,
): SlashRedirect | undefined {
  if (routes === undefined || specs.every(({ target }) => target.slashPath === undefined)) return undefined;
  return new SlashRedirect(routes);
}

/** A filter for the requests that no route takes. */
export class SlashRedirect implements Filter {
  readonly #routes: RouteTable<SlashTarget>;

  /** @param routes Of the site. */
  constructor(routes: RouteTable<SlashTarget>) {
    this.#routes = routes;
  }

  /** Whether a request that no file at its path takes is redirected. */
  takes(head: RequestHead): boolean {
    return this.#find(head) !== undefined;
  }

  /** The redirect of a request that nothing takes. */
  errorResponse(exchange: Exchange, { status }: ExchangeFailure): HttpResponse | undefined {
    const { head } = exchange;
    const target = status === 404 ? this.#find(head) : undefined;
    if (target === undefined) return undefined;
    exchange.route = target.path;
    return { status: 308, headers: ["location", `${head.path}/${head.query}`], body: null };
  }

  #find({ method, path }: RequestHead): SlashTarget | undefined {
    if (method !== "GET" && method !== "HEAD") return undefined;
    const plain = matchPath(path);
    if (plain === undefined || this.#routes.match(plain, method) !== undefined) return undefined;
    const below = this.#routes.match(plain + "/", method);
    return below?.matched === true && below.target.slashPath === plain + "/" ? below.target : undefined;
  }
}
