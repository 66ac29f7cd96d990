/**
 * The table `compression`.
 *
 * @module
 */

import type { z } from "zod";
import { choice, flag, integer, list, matching, size, slashPath, table } from "../../config/fields.ts";

const TYPE = 'a media type such as "text/html", or "text/*", or "*+json"';

/** The keys of `compression`. */
export const compressionKeys = table({
  enabled: flag().default(true).describe("Whether responses are compressed."),
  algorithms: list(choice(["zstd", "br", "gzip"])).min(1, { error: "at least one algorithm" })
    .prefault(["zstd", "br", "gzip"]).describe(
      "Content codings; where a client likes several alike, the first one is used.",
    ),
  level: integer(1, 9).optional().describe(
    "1 is quick, 9 is small; default: 5 for gzip, 4 for br, 3 for zstd. Each level above takes more processor time.",
  ),
  min_size: size().prefault(1024).describe("Smallest response that is compressed, where its size is known."),
  types: list(matching(/^(?:[\w!#$&^.+-]+\/(?:\*|[\w!#$&^.+-]+)|\*\+[\w.-]+)$/, TYPE)).prefault([
    ...["text/*", "*+json", "*+xml", "application/json", "application/javascript", "application/xml"],
    ...["application/wasm", "application/x-javascript", "application/manifest+json", "application/x-ndjson"],
    ...["font/ttf", "font/otf", "application/vnd.ms-fontobject", "image/svg+xml", "image/bmp", "image/x-icon"],
  ]).describe("Media types that are compressed."),
  paths: list(slashPath()).prefault([]).describe(
    "Prefixes of the paths whose responses are compressed; all where there are none.",
  ),
  cookies: flag().default(false).describe(
    "Whether responses over https that set cookies are compressed. Not where a page repeats what a request says beside a secret: " +
      "its size would tell the secret (BREACH).",
  ),
});

/** `compression`, after defaults. */
export type CompressionConfig = z.output<typeof compressionKeys>;
