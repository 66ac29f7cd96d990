/**
 * The redirect from `/api` to a route `/api/`. It applies when the path matches no route and no file; a fixed entry of
 * `try_files`, which would match every path, comes after it.
 *
 * @module
 */

import { flag } from "../config/fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ExchangeFailure } from "../exchange/exchange_failure.ts";
import type { Filter } from "../exchange/filter.ts";
import type { RouteConfig } from "../handlers/proxy/config/route_schema.ts";
import type { HttpResponse, RequestHead } from "../http/message.ts";
import { slashLocation } from "../http/slash_location.ts";
import { matchPath, writtenPath } from "../routing/match_path.ts";
import type { BuildContext, Feature } from "./feature.ts";

/** `redirect_slash`. */
export const redirectSlash = {
  key: "redirect_slash",
  scopes: ["site", "route"],
  order: 120,
  schema: flag().default(true).describe(
    'Whether a GET or HEAD for a route without its last "/" is redirected to it, if no other route or file matches.',
  ),
  compile: (on, { route, proxy, matchRoute }) => {
    // The requests that are redirected match no route, so the filter is that of the site.
    if (route !== undefined || proxy?.enabled !== true) return undefined;
    const paths = proxy.routes.map((target: RedirectingRoute) =>
      target.redirect_slash ?? on ? slashPathOf(target) : undefined
    );
    return paths.every((path) => path === undefined) ? undefined : new RedirectSlash(paths, matchRoute);
  },
} as const satisfies Feature<boolean>;

/** A route with the key of this feature. */
type RedirectingRoute = RouteConfig & { readonly redirect_slash?: boolean | undefined };

/** The path of a route in match form, where the path without its last slash can be redirected to it. */
function slashPathOf({ path, exact, pattern }: RouteConfig): string | undefined {
  if (exact || pattern || path === "/" || !path.endsWith("/")) return undefined;
  // A redirect to `//host/` would lead to another host.
  return path.startsWith("//") ? undefined : writtenPath(path);
}

class RedirectSlash implements Filter {
  readonly #slashPaths: readonly (string | undefined)[];
  readonly #matchRoute: BuildContext["matchRoute"];

  /** @param slashPaths For each route of the site its {@linkcode slashPathOf}; undefined where it does not redirect. */
  constructor(slashPaths: readonly (string | undefined)[], matchRoute: BuildContext["matchRoute"]) {
    this.#slashPaths = slashPaths;
    this.#matchRoute = matchRoute;
  }

  /** Whether a request without a file at its path is redirected. */
  replacesMissing(head: RequestHead): boolean {
    return this.#find(head) !== undefined;
  }

  /** The redirect in place of 404. */
  errorResponse(exchange: Exchange, { status }: ExchangeFailure): HttpResponse | undefined {
    const { head } = exchange;
    const path = status === 404 ? this.#find(head) : undefined;
    if (path === undefined) return undefined;
    exchange.route = path;
    return { status: 308, headers: ["location", slashLocation(head) + exchange.query], body: null };
  }

  /** The path, as written, of the route to which a request is redirected. */
  #find(head: RequestHead): string | undefined {
    const { method, path } = head;
    if ((method !== "GET" && method !== "HEAD") || slashLocation(head) === undefined) return undefined;
    const plain = matchPath(path);
    if (plain === undefined || this.#matchRoute(plain, method) !== undefined) return undefined;
    const below = this.#matchRoute(plain + "/", method);
    if (below?.matched !== true || this.#slashPaths[below.target.index] !== plain + "/") return undefined;
    return below.target.path;
  }
}
