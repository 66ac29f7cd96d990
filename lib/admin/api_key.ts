/**
 * The key that callers of the management API send.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";

/** Compares two texts of bytes of the same length, in a time that does not depend on where they differ. */
export type Equal = (one: Uint8Array, other: Uint8Array) => boolean;

/** A key. It is kept as a digest. */
export class ApiKey {
  readonly #digest: Uint8Array;
  readonly #equal: Equal;

  /** @param equal For tests. */
  constructor(key: string, equal: Equal = timingSafeEqual) {
    this.#digest = digestOf(key);
    this.#equal = equal;
  }

  /** Whether `headers` hold the key, in `Authorization: Bearer KEY` or in `X-API-Key: KEY`. */
  opens(headers: Headers): boolean {
    const [, bearer] = /^bearer +(.*)$/i.exec(headers.get("authorization") ?? "") ?? [];
    const given = bearer ?? headers.get("x-api-key");
    // Of digests, so that the length of the key does not show either.
    return given !== null && given !== undefined && this.#equal(digestOf(given.trim()), this.#digest);
  }
}

function digestOf(key: string): Uint8Array {
  // Header values come one byte a character.
  return createHash("sha256").update(key.trim(), "latin1").digest();
}
