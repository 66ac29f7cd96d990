/**
 * Data of a stream that arrived before it was wanted. Small pieces are put together: a client that sends byte by byte
 * would otherwise take an array for each.
 *
 * @module
 */

/** Pieces, oldest first. */
export class HeldPieces {
  /** Bytes that are held. */
  bytes = 0;
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** Bytes in the last piece, which may have room for more. */
  #lastBytes = 0;

  /** Adds a copy of `bytes[start … end)`. */
  add(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const count = end - start;
    if (count === 0) return;
    this.bytes += count;
    const last = this.#pieces.at(-1);
    if (last !== undefined && this.#lastBytes + count <= last.length) {
      last.set(bytes.subarray(start, end), this.#lastBytes);
      this.#lastBytes += count;
      return;
    }
    this.#sealLast();
    const made = new Uint8Array(Math.max(count, MIN_PIECE_BYTES));
    made.set(bytes.subarray(start, end));
    this.#pieces.push(made);
    this.#lastBytes = count;
  }

  /** Takes the oldest piece, which then belongs to the caller. */
  shift(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#pieces.length === 1) this.#sealLast();
    const piece = this.#pieces.shift();
    this.bytes -= piece?.length ?? 0;
    return piece;
  }

  /** Takes all. */
  takeAll(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.bytes);
    let at = 0;
    for (let piece = this.shift(); piece !== undefined; piece = this.shift()) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  #sealLast(): void {
    const index = this.#pieces.length - 1;
    if (index < 0) return;
    this.#pieces[index] = this.#pieces[index].subarray(0, this.#lastBytes);
    this.#lastBytes = Infinity;
  }
}

const MIN_PIECE_BYTES = 1024;
