/**
 * The error of the decoder of field sections: bytes that are not HPACK.
 *
 * @module
 */

/**
 * A field block that cannot be decoded (RFC 7541). The connection's tables are then no longer the same on both sides, so it
 * ends with COMPRESSION_ERROR (RFC 9113, section 4.3). The message says what is wrong, as in "an index is 0".
 */
export class HpackError extends Error {
  override readonly name = "HpackError";
}
