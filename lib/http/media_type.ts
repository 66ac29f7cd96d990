/**
 * The Content-Type of a file, from its extension. Text goes out as UTF-8. What the database does not know is
 * `application/octet-stream`, and such answers carry `x-content-type-options: nosniff`: a file that nobody knows is
 * downloaded, never guessed to be a page that runs scripts. Known types are left without it, because a site may well
 * serve a script under a type that is only nearly right.
 *
 * @module
 */

// @ts-types="../../types/std/media-types.d.ts"
import { contentType } from "@std/media-types";

/** What an unknown extension is. */
export const UNKNOWN_MEDIA_TYPE = "application/octet-stream";

/**
 * The Content-Type of a file.
 *
 * @param path Path or name of the file; only its extension counts, without case.
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
  if (dot <= path.lastIndexOf("/") + 1) return UNKNOWN_MEDIA_TYPE; // none, or a name such as `.profile`
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

/** Where the database of media types has nothing, or nothing that a browser runs. */
const OVERRIDES: Readonly<Record<string, string | undefined>> = Object.freeze(Object.assign(Object.create(null), {
  ".cjs": "text/javascript; charset=UTF-8",
  ".zst": "application/zstd",
}));

/** XML is left alone: its own declaration names the charset, and a parameter would overrule that. SVG is UTF-8 in practice. */
function withCharset(mediaType: string): string {
  if (mediaType.includes(";")) return mediaType;
  const utf8 = mediaType.startsWith("text/") || mediaType.endsWith("+json") || mediaType === "application/json" ||
    mediaType === "application/javascript" || mediaType === "image/svg+xml";
  return utf8 ? `${mediaType}; charset=UTF-8` : mediaType;
}
