/**
 * Cache-Control of files, from `[sites.cache]`.
 *
 * @module
 */

import type { CacheConfig } from "./files_schema.ts";

/** The value of Cache-Control by path; undefined if the config sets none. */
export function cacheControl(config: CacheConfig): ((path: string) => string | undefined) | undefined {
  const general = config.control ??
    (config.max_age === undefined ? undefined : `public, max-age=${Math.floor(config.max_age / 1000)}`);
  const rules = config.rules.map((rule) => ({
    prefix: rule.path && decoded(rule.path),
    endings: rule.extensions?.map((extension) => extension.startsWith(".") ? extension : "." + extension),
    control: rule.control,
  }));
  if (general === undefined && rules.length === 0) return undefined;
  return (path) => {
    const rule = rules.find(({ prefix, endings }) =>
      (prefix === undefined || path.startsWith(prefix)) &&
      (endings === undefined || endings.some((ending) => path.toLowerCase().endsWith(ending.toLowerCase())))
    );
    return rule?.control ?? general;
  };
}

/** A path from the config, decoded like the names of files; one with invalid escapes is taken literally. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
