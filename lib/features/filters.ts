/**
 * The filters of a site and of its routes, from the tables of their features.
 *
 * @module
 */

import type { Filter } from "../exchange/filter.ts";
import type { MetricDeclarations, MetricSet, SnapshotOf } from "../metrics/metric_set.ts";
import type { MetricValues } from "../metrics/metric_values.ts";
import type { BuildContext } from "./feature.ts";
import { type AnyFeature, FEATURES } from "./features.ts";

/** The metrics of a feature for one table, by the path of the table's route; "" for the table of the site. */
export type FeatureMetrics = <D extends MetricDeclarations>(
  feature: string,
  set: MetricSet<D>,
  route: string,
) => MetricValues<SnapshotOf<D>> | undefined;

/** What the filters of a site are built from. */
export interface SiteFiltersContext extends Omit<BuildContext, "metrics"> {
  readonly featureMetrics: FeatureMetrics;
}

/** A filter and its position. */
interface Placed {
  readonly filter: Filter;
  readonly order: number;
}

/** The filters of one site. A route shares the filters that it does not change. */
export class SiteFilters {
  readonly #features: readonly AnyFeature[];
  readonly #context: SiteFiltersContext;
  readonly #tables: ReadonlyMap<string, unknown>;
  readonly #shared: readonly (Placed | undefined)[];
  /** For requests that match no route, in the order of the request; those of a route too that has none of its own. */
  readonly unrouted: readonly Filter[];

  /**
   * @param site The tables of the site, by their keys.
   * @param features All features.
   * @throws {Error} When a file that a table names cannot be read.
   */
  constructor(site: object, context: SiteFiltersContext, features: readonly AnyFeature[] = FEATURES) {
    this.#features = features;
    this.#context = context;
    this.#tables = new Map<string, unknown>(Object.entries(site));
    this.#shared = this.#features.map((feature) => compiled(feature, this.#siteTable(feature), context));
    this.unrouted = inOrder(this.#shared);
  }

  /**
   * The filters of a route.
   *
   * @param proxy The proxy's settings for the route.
   */
  of(route: NonNullable<BuildContext["route"]>, proxy: BuildContext["proxy"]): readonly Filter[] {
    const tables = new Map<string, unknown>(Object.entries(route));
    const context = { ...this.#context, route, proxy };
    const placed = this.#features.map((feature, index) => {
      const own = feature.scopes.includes("route") ? tables.get(feature.key) : undefined;
      const shares = own === undefined && !feature.routeKeys?.some((key) => tables.get(key) !== undefined);
      return shares ? this.#shared[index] : compiled(feature, own ?? this.#siteTable(feature), context);
    });
    return placed.every((one, index) => one === this.#shared[index]) ? this.unrouted : inOrder(placed);
  }

  #siteTable({ key, scopes }: AnyFeature): unknown {
    return scopes.includes("site") ? this.#tables.get(key) : undefined;
  }
}

function compiled(feature: AnyFeature, options: unknown, context: SiteFiltersContext): Placed | undefined {
  // An absent table is compiled only if the schema has defaults for it.
  if (options === undefined && !feature.schema.safeParse(undefined).success) return undefined;
  const { key, order } = feature;
  const filter = feature.compile(options, {
    ...context,
    metrics: (set) => context.featureMetrics(key, set, context.route?.path ?? ""),
  });
  return filter && { filter, order: feature.orderOf?.(options) ?? order };
}

function inOrder(placed: readonly (Placed | undefined)[]): Filter[] {
  return placed.filter((one) => one !== undefined).sort((a, b) => a.order - b.order).map(({ filter }) => filter);
}
