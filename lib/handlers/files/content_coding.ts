/**
 * Which coding of a file a client prefers (RFC 9110, section 12.5.3). Files are never compressed here: a file beside it
 * with one of these suffixes (a neighbour), made when the site was built, is sent in place of the file.
 *
 * @module
 */

import { readQualities } from "./quality_list.ts";

/** Content coding of a neighbour; empty for the file itself. */
export type ContentCoding = "br" | "zstd" | "gzip" | "";

/**
 * The codings of neighbours and the suffixes of their names, the preferred one first: it wins if a client has no
 * preference.
 */
export const NEIGHBOURS: readonly { readonly coding: ContentCoding; readonly suffix: string }[] = [
  { coding: "br", suffix: ".br" },
  { coding: "zstd", suffix: ".zst" },
  { coding: "gzip", suffix: ".gz" },
];

/**
 * The codings that a client accepts, the preferred one first. The last is always `""`: a client that accepts no coding
 * at all gets the file itself, because that is of more use to it than an error.
 *
 * @param acceptEncoding Value of Accept-Encoding; undefined if the request has none, which gives only the file itself.
 */
export function acceptedCodings(acceptEncoding: string | undefined): readonly ContentCoding[] {
  if (acceptEncoding === undefined || acceptEncoding === "") return IDENTITY;
  let codings = remembered.get(acceptEncoding);
  if (codings === undefined) {
    codings = rank(acceptEncoding);
    // Browsers send the same few values. Clients can invent values, so the cache is bounded.
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    if (acceptEncoding.length <= REMEMBERED_MAX_LENGTH) remembered.set(acceptEncoding, codings);
  }
  return codings;
}

const IDENTITY: readonly ContentCoding[] = [""];
const REMEMBERED_MAX = 64;
const REMEMBERED_MAX_LENGTH = 128;
const remembered = new Map<string, readonly ContentCoding[]>();

function rank(acceptEncoding: string): readonly ContentCoding[] {
  const qualities = new Map<string, number>();
  for (const { name, quality } of readQualities(acceptEncoding)) {
    qualities.set(name === "x-gzip" ? "gzip" : name, quality);
  }
  const others = qualities.get("*") ?? 0;
  // If it is not named, the file itself is acceptable but preferred least.
  const identity = qualities.get("identity") ?? 0;
  const wanted: { coding: ContentCoding; quality: number }[] = [];
  for (const { coding } of NEIGHBOURS) {
    const quality = qualities.get(coding) ?? others;
    if (quality > 0 && quality >= identity) wanted.push({ coding, quality });
  }
  wanted.sort((a, b) => b.quality - a.quality); // stable: the order of NEIGHBOURS decides between equals
  return [...wanted.map(({ coding }) => coding), ""];
}
