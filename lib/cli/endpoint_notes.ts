/**
 * Routes at the prefix of a site's own endpoints, such as `/api/`: the endpoints answer before them. The specification has it so,
 * and the rest of the prefix is the route's: it is worth a note, and no warning.
 *
 * @module
 */

import { INTERNAL_PATHS, internalPrefix } from "../handlers/internal/internal_paths.ts";
import type { Config } from "../generation/config/config_types.ts";

/** A note for each route that has the endpoints of its site below it by its very path; none for routes such as `/`. */
export function endpointNotes({ sites }: Config): string[] {
  return sites.flatMap(({ name, proxy, internal_api }) => {
    const prefix = internalPrefix(internal_api);
    if (proxy?.enabled !== true || prefix === undefined || prefix === "") return [];
    const paths = INTERNAL_PATHS.map((path) => prefix + path).join(", ");
    return proxy.routes
      .filter(({ path, exact, pattern }) => !exact && !pattern && path.replace(/\/+$/, "") === prefix)
      .map(({ path }) =>
        `site ${JSON.stringify(name)} answers ${paths} itself, before the route ${path} (internal_api)`
      );
  });
}
