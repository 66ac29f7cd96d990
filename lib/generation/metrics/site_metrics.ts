/**
 * What is counted of one site: by route, and apart from those what no route took.
 *
 * @module
 */

import type { RouteMetrics } from "../../exchange/route_metrics.ts";
import type { MetricsRegistry } from "./metrics_registry.ts";

/** The metrics of one site, as its config has it now. Owned by its site. */
export class SiteMetrics {
  /** What no route took. */
  readonly unrouted: RouteMetrics;
  /** That one first, and then the routes; those that share a path share their metrics. */
  readonly routes: readonly RouteMetrics[];
  /** Those of them that may upgrade. */
  readonly socketRoutes: ReadonlySet<RouteMetrics>;
  readonly #registry: MetricsRegistry;
  readonly #site: string;

  /** @param routes As in the config. */
  constructor(registry: MetricsRegistry, site: string, routes: readonly { path: string; websocket: boolean }[]) {
    this.#registry = registry;
    this.#site = site;
    this.unrouted = registry.route(site, "");
    this.routes = [this.unrouted, ...new Set(routes.map(({ path }) => this.route(path)))];
    this.socketRoutes = new Set(routes.filter(({ websocket }) => websocket).map(({ path }) => this.route(path)));
  }

  /** Those of the routes of one path. */
  route(path: string): RouteMetrics {
    return this.#registry.route(this.#site, path);
  }

  /** Exchanges under way. */
  get inFlight(): number {
    return this.routes.reduce((sum, route) => sum + route.inFlight(), 0);
  }
}
