/**
 * Which coding of a file a client wants (RFC 9110, section 12.5.3). Files are never compressed here: a neighbour with
 * one of these suffixes, made when the site was built, is sent in place of the file.
 *
 * @module
 */

import { readQualities } from "./quality_list.ts";

/** A content coding that a neighbour may have; empty is the file itself. */
export type ContentCoding = "br" | "zstd" | "gzip" | "";

/** The codings of neighbours and the suffixes of their names, the best first: it wins where a client has no preference. */
export const NEIGHBOURS: readonly { readonly coding: ContentCoding; readonly suffix: string }[] = [
  { coding: "br", suffix: ".br" },
  { coding: "zstd", suffix: ".zst" },
  { coding: "gzip", suffix: ".gz" },
];

/**
 * The codings that a client accepts, the most wanted first. The last is always `""`: the file itself answers a client
 * that accepts nothing there is, because that is of more use to it than a refusal.
 *
 * @param acceptEncoding Value of Accept-Encoding; undefined without one, and then only the file itself is wanted.
 */
export function acceptedCodings(acceptEncoding: string | undefined): readonly ContentCoding[] {
  if (acceptEncoding === undefined || acceptEncoding === "") return IDENTITY;
  let codings = remembered.get(acceptEncoding);
  if (codings === undefined) {
    codings = rank(acceptEncoding);
    // Browsers send a few values over and over. A client that invents new ones must not fill the memory.
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
  // Not named, the file itself is acceptable but wanted least.
  const identity = qualities.get("identity") ?? 0;
  const wanted: { coding: ContentCoding; quality: number }[] = [];
  for (const { coding } of NEIGHBOURS) {
    const quality = qualities.get(coding) ?? others;
    if (quality > 0 && quality >= identity) wanted.push({ coding, quality });
  }
  wanted.sort((a, b) => b.quality - a.quality); // stable: the order of NEIGHBOURS decides between equals
  return [...wanted.map(({ coding }) => coding), ""];
}
