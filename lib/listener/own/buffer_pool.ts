/**
 * Buffers that are borrowed for one write or one busy period, so that idle connections hold almost none.
 *
 * @module
 */

/** Lends buffers of two sizes. Owned by a listener. */
export class BufferPool {
  readonly #small: Uint8Array<ArrayBuffer>[] = [];
  readonly #large: Uint8Array<ArrayBuffer>[] = [];

  /** Borrows a buffer of at least `bytes` bytes, with undefined content. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes <= SMALL_BYTES) return this.#small.pop() ?? new Uint8Array(SMALL_BYTES);
    if (bytes <= LARGE_BYTES) return this.#large.pop() ?? new Uint8Array(LARGE_BYTES);
    return new Uint8Array(bytes);
  }

  /** Returns a buffer that is no longer read or written. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer.length === SMALL_BYTES && this.#small.length < SMALL_KEPT) this.#small.push(buffer);
    else if (buffer.length === LARGE_BYTES && this.#large.length < LARGE_KEPT) this.#large.push(buffer);
  }
}

/** Large enough for a head and a small body. */
const SMALL_BYTES = 4 * 1024;
/** Large enough for a head, or a chunk's first line, and {@linkcode PIECE_BYTES} of a body. */
const LARGE_BYTES = 68 * 1024;
const SMALL_KEPT = 256;
const LARGE_KEPT = 64;

/** Bytes of a body that fit into a buffer together with what precedes them. */
export const PIECE_BYTES = 64 * 1024;
