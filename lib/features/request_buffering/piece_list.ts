/**
 * The pieces of a body that wait for its end. A piece takes some hundred bytes besides its own: of a client that sends its body
 * byte by byte, they are joined.
 *
 * @module
 */

import { joined } from "../../http/body_reader.ts";

/** Pieces that are joined to one. */
const JOINED_PIECES = 256;
/** Average size from which on joining them would only cost a copy. */
const LARGE_BYTES = 1024;

/** Pieces in their order. */
export class PieceList {
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  /** Index of the first piece that has not been looked at, and the bytes from there on. */
  #from = 0;
  #fromBytes = 0;

  /** How many there are. */
  get count(): number {
    return this.#pieces.length;
  }

  /** Adds a piece, which stays valid. */
  add(piece: Uint8Array<ArrayBuffer>): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#fromBytes += piece.length;
    if (this.#pieces.length - this.#from < JOINED_PIECES) return;
    if (this.#fromBytes < JOINED_PIECES * LARGE_BYTES) {
      this.#pieces.push(joined(this.#pieces.splice(this.#from), this.#fromBytes));
    }
    this.#from = this.#pieces.length;
    this.#fromBytes = 0;
  }

  /** All bytes in one piece; none is left. */
  take(): Uint8Array<ArrayBuffer> {
    const whole = joined(this.#pieces, this.#bytes);
    this.clear();
    return whole;
  }

  /** Drops all. */
  clear(): void {
    this.#pieces = [];
    this.#bytes = this.#from = this.#fromBytes = 0;
  }
}
