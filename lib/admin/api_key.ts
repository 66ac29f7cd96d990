/**
 * The key that clients of the management API send.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";

/** Compares two texts of bytes of the same length, in a time that does not depend on where they differ. */
export type Equal = (one: Uint8Array, other: Uint8Array) => boolean;

/** A key, stored as a digest. */
export class ApiKey {
  readonly #digest: Uint8Array;
  readonly #equal: Equal;

  /** @param equal For tests. */
  constructor(key: string, equal: Equal = timingSafeEqual) {
    this.#digest = digestOf(key);
    this.#equal = equal;
  }

  /** Whether `headers` contain the key, in `Authorization: Bearer KEY` or in `X-API-Key: KEY`. */
  opens(headers: Headers): boolean {
    const [, bearer] = /^bearer +(.*)$/i.exec(headers.get("authorization") ?? "") ?? [];
    const given = bearer ?? headers.get("x-api-key");
    // Digests are compared, so that the time does not depend on the length of the key either.
    return given !== null && given !== undefined && this.#equal(digestOf(given.trim()), this.#digest);
  }
}

function digestOf(key: string): Uint8Array {
  // Each character of a header value is one byte.
  return createHash("sha256").update(key.trim(), "latin1").digest();
}
