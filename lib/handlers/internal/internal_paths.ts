/**
 * The paths of the internal endpoints of a site.
 *
 * @module
 */

import { writtenPath } from "../../routing/match_path.ts";

/** Their paths below the prefix of `internal_api`. */
export const INTERNAL_PATHS = ["/health", "/health/live", "/health/ready", "/config", "/sites"] as const;

/** One of {@linkcode INTERNAL_PATHS}. */
export type InternalPath = typeof INTERNAL_PATHS[number];

/** The prefix of the endpoints, in match form, for a value of `internal_api`; undefined where they are disabled. */
export function internalPrefix(setting: boolean | string): string | undefined {
  if (setting === false) return undefined;
  return setting === true ? "/api" : (writtenPath(setting) ?? setting).replace(/\/+$/, "");
}
