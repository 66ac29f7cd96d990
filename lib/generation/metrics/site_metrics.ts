/**
 * What is counted of one site: by route, and apart from those what no route took.
 *
 * @module
 */

import type { MetricsRegistry } from "./metrics_book.ts";
import type { RouteMetrics } from "./route_metrics.ts";

/** The figures of one site, as its config has it now. Owned by its site. */
export class SiteMetrics {
  /** What no route took. */
  readonly unrouted: RouteMetrics;
  /** That one first, and then the routes; those that share a path share their figures. */
  readonly routes: readonly RouteMetrics[];
  /** Those of them that may upgrade. */
  readonly socketRoutes: readonly RouteMetrics[];
  readonly #book: MetricsRegistry;
  readonly #site: string;

  /** @param routes As in the config. */
  constructor(book: MetricsRegistry, site: string, routes: readonly { path: string; websocket: boolean }[]) {
    this.#book = book;
    this.#site = site;
    this.unrouted = book.route(site, "");
    const figures = (some: typeof routes) => [...new Set(some.map(({ path }) => path))].map((path) => this.route(path));
    this.routes = [this.unrouted, ...figures(routes)];
    this.socketRoutes = figures(routes.filter(({ websocket }) => websocket));
  }

  /** Those of the routes of one path. */
  route(path: string): RouteMetrics {
    return this.#book.route(this.#site, path);
  }

  /** Exchanges under way. */
  get inFlight(): number {
    return this.routes.reduce((sum, route) => sum + route.inFlight, 0);
  }
}
