/**
 * Bytes that arrived during a pause: copies, so that the kernel gets its buffers back.
 *
 * @module
 */

import { bufferIndex, returnBuffer, takeBuffer } from "../socket_buffers.ts";

/** A copy in a borrowed buffer. */
interface Piece {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly end: number;
}

/** Whoever takes held bytes. */
export interface HeldBytesTaker {
  /** `bytes[start … end)`, lent until it returns. It does not throw. */
  pass(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void;
}

/** The held bytes of one socket, which owns them. */
export class HeldBytes {
  readonly #pieces: Piece[] = [];

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Adds a copy of `bytes[start … end)`. */
  add(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const buffer = takeBuffer(bufferIndex(end - start));
    buffer.set(bytes.subarray(start, end));
    this.#pieces.push({ buffer, end: end - start });
  }

  /** Lends the oldest piece. There is one. */
  take(taker: HeldBytesTaker): void {
    const { buffer, end } = this.#pieces.shift() as Piece;
    taker.pass(buffer, 0, end);
    returnBuffer(buffer);
  }

  /** Drops everything. */
  clear(): void {
    for (const { buffer } of this.#pieces.splice(0)) returnBuffer(buffer);
  }
}
