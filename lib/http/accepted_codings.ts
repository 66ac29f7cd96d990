/**
 * Which content codings a client prefers (RFC 9110, section 12.5.3).
 *
 * @module
 */

import { readQualities } from "./quality_list.ts";

/** A content coding; empty for none. */
export type ContentCoding = "br" | "zstd" | "gzip" | "";

/** The codings that a server has, and the rank that clients give them. */
export class AcceptedCodings {
  readonly #codings: readonly ContentCoding[];
  readonly #remembered = new Map<string, readonly ContentCoding[]>();

  /** @param codings What the server has; the first one wins where a client has no preference. */
  constructor(codings: readonly ContentCoding[]) {
    this.#codings = codings;
  }

  /**
   * The codings that a client accepts, the preferred one first. The last is always `""`: a client that accepts no coding
   * at all gets the content as it is, because that is of more use to it than an error.
   *
   * @param acceptEncoding Value of Accept-Encoding; undefined if the request has none, which gives only `""`.
   */
  of(acceptEncoding: string | undefined): readonly ContentCoding[] {
    if (acceptEncoding === undefined || acceptEncoding === "") return IDENTITY;
    let codings = this.#remembered.get(acceptEncoding);
    if (codings === undefined) {
      codings = this.#rank(acceptEncoding);
      // Browsers send the same few values. Clients can invent values, so the cache is bounded.
      if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
      if (acceptEncoding.length <= REMEMBERED_MAX_LENGTH) this.#remembered.set(acceptEncoding, codings);
    }
    return codings;
  }

  #rank(acceptEncoding: string): readonly ContentCoding[] {
    const qualities = new Map<string, number>();
    for (const { name, quality } of readQualities(acceptEncoding)) {
      qualities.set(name === "x-gzip" ? "gzip" : name, quality);
    }
    const others = qualities.get("*") ?? 0;
    // If it is not named, the content as it is is acceptable but preferred least.
    const identity = qualities.get("identity") ?? 0;
    const wanted: { coding: ContentCoding; quality: number }[] = [];
    for (const coding of this.#codings) {
      const quality = qualities.get(coding) ?? others;
      if (quality > 0 && quality >= identity) wanted.push({ coding, quality });
    }
    wanted.sort((a, b) => b.quality - a.quality); // stable: the server's order decides between equals
    return [...wanted.map(({ coding }) => coding), ""];
  }
}

const IDENTITY: readonly ContentCoding[] = [""];
const REMEMBERED_MAX = 64;
const REMEMBERED_MAX_LENGTH = 128;
