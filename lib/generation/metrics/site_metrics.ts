/**
 * The metrics of one site: of each route, and of requests that no route took.
 *
 * @module
 */

import type { RouteMetrics } from "../../exchange/route_metrics.ts";
import type { MetricDeclarations, MetricSet, SnapshotOf } from "../../metrics/metric_set.ts";
import type { MetricValues } from "../../metrics/metric_values.ts";
import type { FeatureTableMetrics, MetricsRegistry } from "./metrics_registry.ts";

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
  /** Metrics of features, by their keys; those of each table once. */
  readonly #features = new Map<string, Set<FeatureTableMetrics>>();

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

  /** Metrics of a feature, by the path of the route that has its table; "" for the table of the site. */
  feature<D extends MetricDeclarations>(
    feature: string,
    set: MetricSet<D>,
    route: string,
  ): MetricValues<SnapshotOf<D>> {
    const metrics = this.#registry.feature(feature, set, { site: this.#site, route });
    const tables = this.#features.get(feature);
    if (tables === undefined) this.#features.set(feature, new Set([metrics]));
    else tables.add(metrics);
    return metrics.values;
  }

  /** The metrics of a feature for all tables of the site that have it. */
  featureTables(feature: string): Iterable<FeatureTableMetrics> {
    return this.#features.get(feature) ?? [];
  }

  /** Exchanges under way. */
  get inFlight(): number {
    return this.routes.reduce((sum, route) => sum + route.inFlight(), 0);
  }
}
