/**
 * Buffers that are lent for one write or one busy spell, so that connections that idle hold next to none.
 *
 * @module
 */

/** Lends buffers of two sizes. Owned by a listener. */
export class BufferPool {
  readonly #small: Uint8Array<ArrayBuffer>[] = [];
  readonly #large: Uint8Array<ArrayBuffer>[] = [];

  /** A buffer of at least `bytes`; what it holds is old. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes <= SMALL_BYTES) return this.#small.pop() ?? new Uint8Array(SMALL_BYTES);
    if (bytes <= LARGE_BYTES) return this.#large.pop() ?? new Uint8Array(LARGE_BYTES);
    return new Uint8Array(bytes);
  }

  /** Takes one back that nobody reads or writes any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer.length === SMALL_BYTES && this.#small.length < SMALL_KEPT) this.#small.push(buffer);
    else if (buffer.length === LARGE_BYTES && this.#large.length < LARGE_KEPT) this.#large.push(buffer);
  }
}

/** Holds a head and a small body. */
const SMALL_BYTES = 4 * 1024;
/** Holds a head, or a chunk's first line, and {@linkcode PIECE_BYTES} of a body. */
const LARGE_BYTES = 68 * 1024;
const SMALL_KEPT = 256;
const LARGE_KEPT = 64;

/** As much of a body as fits into a buffer with what stands before it. */
export const PIECE_BYTES = 64 * 1024;
