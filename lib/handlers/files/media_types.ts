/**
 * The media types of a site's files: those of `media_types`, else those that all sites have.
 *
 * @module
 */

import { mediaTypeOf, UNKNOWN_MEDIA_TYPE } from "../../http/media_type.ts";

/** Stands for all files without a known type. */
export const ANY_OTHER = "*";

/**
 * Gives the Content-Type of a file by its path.
 *
 * @param types By extension, such as `.wasm` or `.tar.gz`, by name, or `*`.
 */
export function compileMediaTypes(types: Readonly<Record<string, string>> = {}): (path: string) => string {
  // The longest fits best: ".tar.gz" before ".gz".
  const own = Object.entries(types).sort(([a], [b]) => b.length - a.length)
    .map(([key, type]) => ({ key: key.startsWith(".") ? key.toLowerCase() : key, type }));
  if (own.length === 0) return mediaTypeOf;
  const other = types[ANY_OTHER];
  return (path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const lowerName = name.toLowerCase();
    const found = own.find(({ key }) =>
      key.startsWith(".") ? lowerName.endsWith(key) && lowerName.length > key.length : name === key
    );
    if (found !== undefined) return found.type;
    const known = mediaTypeOf(path);
    return known === UNKNOWN_MEDIA_TYPE ? other ?? known : known;
  };
}
