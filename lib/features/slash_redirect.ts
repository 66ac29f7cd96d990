/**
 * The redirect from `/api` to a route `/api/`. It applies when the path matches no route and no file; a fixed entry of
 * `try_files`, which would match every path, comes after it.
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

/** The properties of a route that the redirect uses. */
export interface SlashTarget {
  /** The route's path, as written. */
  readonly path: string;
  /** The route's path in match form, where the path without its last slash is redirected to it. */
  readonly slashPath: string | undefined;
}

/** {@linkcode SlashTarget.slashPath} of a route. */
export function slashPathOf({ path, exact, pattern, redirect_slash }: RouteConfig): string | undefined {
  if (exact || pattern || !redirect_slash || path === "/" || !path.endsWith("/")) return undefined;
  // A redirect to `//host/` would lead to another host.
  return path.startsWith("//") ? undefined : writtenPath(path);
}

/** The redirects to the routes of a site; undefined where there are none. */
export function slashRedirect(
  specs: readonly RouteSpec<SlashTarget>[],
  routes: RouteTable<SlashTarget> | undefined,
): SlashRedirect | undefined {
  if (routes === undefined || specs.every(({ target }) => target.slashPath === undefined)) return undefined;
  return new SlashRedirect(routes);
}

/** A filter for requests that match no route. */
export class SlashRedirect implements Filter {
  readonly #routes: RouteTable<SlashTarget>;

  /** @param routes The routes of the site. */
  constructor(routes: RouteTable<SlashTarget>) {
    this.#routes = routes;
  }

  /** Whether a request without a file at its path is redirected. */
  takes(head: RequestHead): boolean {
    return this.#find(head) !== undefined;
  }

  /** The redirect in place of 404. */
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
