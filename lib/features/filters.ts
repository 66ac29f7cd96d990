/**
 * The filters of a site and of its routes, from the tables of their features.
 *
 * @module
 */

import type { Filter } from "../exchange/filter.ts";
import type { BuildContext } from "./feature.ts";
import { type AnyFeature, FEATURES } from "./features.ts";

/** The filters of one site. A route shares the filters that it does not change. */
export class SiteFilters {
  readonly #features: readonly AnyFeature[];
  readonly #context: BuildContext;
  readonly #tables: ReadonlyMap<string, unknown>;
  readonly #shared: readonly (Filter | undefined)[];

  /**
   * @param site The tables of the site, by their keys.
   * @param features All features.
   * @throws {Error} When a file that a table names cannot be read.
   */
  constructor(site: object, context: BuildContext, features: readonly AnyFeature[] = FEATURES) {
    this.#features = features.toSorted((a, b) => a.order - b.order);
    this.#context = context;
    this.#tables = new Map<string, unknown>(Object.entries(site));
    this.#shared = this.#features.map((feature) => compiled(feature, this.#siteTable(feature), context));
  }

  /** The filters for requests that match no route, in the order of the request. */
  get unrouted(): Filter[] {
    return this.#shared.filter((filter) => filter !== undefined);
  }

  /**
   * The filters of a route.
   *
   * @param proxy The proxy's settings for the route.
   */
  of(route: NonNullable<BuildContext["route"]>, proxy: BuildContext["proxy"]): Filter[] {
    const tables = new Map<string, unknown>(Object.entries(route));
    const context = { ...this.#context, route, proxy };
    return this.#features.flatMap((feature, index) => {
      const own = feature.scopes.includes("route") ? tables.get(feature.key) : undefined;
      const shares = own === undefined && !feature.routeKeys?.some((key) => tables.get(key) !== undefined);
      return (shares ? this.#shared[index] : compiled(feature, own ?? this.#siteTable(feature), context)) ?? [];
    });
  }

  #siteTable({ key, scopes }: AnyFeature): unknown {
    return scopes.includes("site") ? this.#tables.get(key) : undefined;
  }
}

function compiled(feature: AnyFeature, options: unknown, context: BuildContext): Filter | undefined {
  // An absent table is compiled only if the schema has defaults for it.
  if (options === undefined && !feature.schema.safeParse(undefined).success) return undefined;
  return feature.compile(options, context);
}
