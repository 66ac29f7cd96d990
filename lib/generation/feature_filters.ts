/**
 * The filters of one route, or of the requests of a site that no route takes, from their features' tables.
 *
 * @module
 */

import type { Filter } from "../exchange/filter.ts";
import type { BuildContext } from "../features/feature.ts";
import type { AnyFeature } from "../features/features.ts";

/** Tables by their key. */
export type Tables = Readonly<Record<string, unknown>>;

/**
 * The filters in the order of the request. A route's table takes the place of its site's; where neither has one, nothing is
 * built.
 *
 * @param tables The site's and, for a route, the route's.
 * @throws {Error} When a file that a table names cannot be read.
 */
export function compileFilters(
  features: readonly AnyFeature[],
  { site, route }: { site: Tables; route: Tables | undefined },
  context: BuildContext,
): Filter[] {
  return features.toSorted((one, other) => one.order - other.order).flatMap(({ key, scopes, compile }) => {
    const options = (scopes.includes("route") ? route?.[key] : undefined) ??
      (scopes.includes("site") ? site[key] : undefined);
    return (options === undefined ? undefined : compile(options, context)) ?? [];
  });
}
