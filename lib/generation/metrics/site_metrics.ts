/**
 * The metrics of one site: of each route, and of requests that no route took.
 *
 * @module
 */

import type { RouteMetrics } from "../../exchange/route_metrics.ts";
import type { MetricsRegistry } from "./metrics_registry.ts";

/** The metrics of one site. Owned by its site. */
export class SiteMetrics {
  /** Requests that no route took. */
  readonly unrouted: RouteMetrics;
  /** `unrouted` first, then the routes; routes of the same path share their metrics. */
  readonly routes: readonly RouteMetrics[];
  /** The routes that may upgrade to WebSocket. */
  readonly socketRoutes: ReadonlySet<RouteMetrics>;
  readonly #registry: MetricsRegistry;
  readonly #site: string;

  /** @param routes In the order of the config. */
  constructor(registry: MetricsRegistry, site: string, routes: readonly { path: string; websocket: boolean }[]) {
    this.#registry = registry;
    this.#site = site;
    this.unrouted = registry.route(site, "");
    this.routes = [this.unrouted, ...new Set(routes.map(({ path }) => this.route(path)))];
    this.socketRoutes = new Set(routes.filter(({ websocket }) => websocket).map(({ path }) => this.route(path)));
  }

  /** Metrics of the routes of one path. */
  route(path: string): RouteMetrics {
    return this.#registry.route(this.#site, path);
  }

  /** Exchanges under way. */
  get inFlight(): number {
    return this.routes.reduce((sum, route) => sum + route.inFlight(), 0);
  }
}
