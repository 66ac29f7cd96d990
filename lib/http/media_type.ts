/**
 * The Content-Type of a file, by its extension. Text is sent as UTF-8. An unknown extension gives
 * `application/octet-stream`, and such responses have `x-content-type-options: nosniff`: the browser downloads the file
 * and never interprets it as a page with scripts. Known types are sent without that field, because sites do serve
 * scripts under types that are almost right.
 *
 * @module
 */

// @ts-types="../../types/std/media-types.d.ts"
import { contentType } from "@std/media-types";

/** The media type of files with an unknown extension. */
export const UNKNOWN_MEDIA_TYPE = "application/octet-stream";

/**
 * The Content-Type of a file.
 *
 * @param path Path or name of the file; only its extension is used, compared without case.
 *
 * @example
 * ```ts
 * import { mediaTypeOf } from "./media_type.ts";
 *
 * console.log(mediaTypeOf("/logo.SVG")); // "image/svg+xml; charset=UTF-8"
 * ```
 */
export function mediaTypeOf(path: string): string {
  const dot = path.lastIndexOf(".");
  if (dot <= path.lastIndexOf("/") + 1) return UNKNOWN_MEDIA_TYPE; // no extension, or a name such as `.profile`
  const extension = path.slice(dot).toLowerCase();
  let mediaType = known.get(extension);
  if (mediaType === undefined) {
    mediaType = OVERRIDES[extension] ?? withCharset(contentType(extension) ?? UNKNOWN_MEDIA_TYPE);
    if (known.size < KNOWN_MAX) known.set(extension, mediaType);
  }
  return mediaType;
}

const KNOWN_MAX = 512;
const known = new Map<string, string>();

/** Types that the database lacks, or for which it has a type that browsers do not execute. */
const OVERRIDES: Readonly<Record<string, string | undefined>> = Object.freeze(Object.assign(Object.create(null), {
  ".cjs": "text/javascript; charset=UTF-8",
  ".zst": "application/zstd",
}));

/**
 * XML gets no charset: its own declaration names the charset, and a parameter would override it. SVG is UTF-8 in
 * practice.
 */
function withCharset(mediaType: string): string {
  if (mediaType.includes(";")) return mediaType;
  const utf8 = mediaType.startsWith("text/") || mediaType.endsWith("+json") || mediaType === "application/json" ||
    mediaType === "application/javascript" || mediaType === "image/svg+xml";
  return utf8 ? `${mediaType}; charset=UTF-8` : mediaType;
}
