/**
 * What a client has sent and nobody has read yet. One read is open at most; while an answer is made it stays open, so
 * that a client that leaves is noticed at once, and it is the read that the next request needs anyway.
 *
 * @module
 */

import { closeQuietly, type Wire } from "../sockets/wire.ts";
import type { HeadScan } from "../http1/response_head.ts";

/** Bytes from one client. Owned by its connection. */
export class Inbox {
  /** Holds them. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(BASE_BYTES);
  /** Where they begin. */
  start = 0;
  /** Where they end. */
  end = 0;
  /** Whether no more will come. */
  ended = false;
  /** What the last read failed with. */
  failure: unknown;
  readonly #wire: Wire;
  readonly #onEnd: () => void;
  #reading: Promise<void> | undefined;
  #watching = false;

  /** @param onEnd Called once when the client has closed its side, or the connection broke. */
  constructor(wire: Wire, onEnd: () => void) {
    this.#wire = wire;
    this.#onEnd = onEnd;
  }

  /** How many bytes there are. */
  get length(): number {
    return this.end - this.start;
  }

  /** Whether a read into {@linkcode bytes} is open. */
  get reading(): boolean {
    return this.#reading !== undefined;
  }

  /** Waits for more bytes, or the end. There must be room. Never rejects. */
  more(): Promise<void> {
    this.#watching = false;
    return this.#reading ?? this.#read();
  }

  /** Reads on by itself while there is room, to notice when the client leaves. */
  watch(): void {
    this.#watching = true;
    if (this.#reading === undefined && this.end < this.bytes.length) this.#read();
  }

  /**
   * Makes room behind what there is.
   *
   * @returns Whether that is possible within `maxBytes`.
   */
  makeRoom(scan: HeadScan, maxBytes: number): boolean {
    if (this.end < this.bytes.length) return true;
    if (this.length >= maxBytes) return false;
    const shift = this.start;
    if (shift > 0) this.bytes.copyWithin(0, shift, this.end);
    else this.#grow(Math.min(this.bytes.length * 2, maxBytes + BASE_BYTES));
    this.start -= shift;
    this.end -= shift;
    scan.at -= shift;
    scan.lineStart -= shift;
    return true;
  }

  /** Puts bytes back that were read past the end of a body. Nothing else may be here. */
  unread(bytes: Uint8Array): void {
    this.start = 0;
    this.end = 0;
    if (bytes.length >= this.bytes.length) this.#grow(bytes.length + BASE_BYTES);
    this.bytes.set(bytes);
    this.end = bytes.length;
  }

  /** Reads straight into `target`: for bodies, while nothing is here and no read is open. Null at the end. */
  async readInto(target: Uint8Array): Promise<number | null> {
    try {
      for (;;) {
        const count = await this.#wire.read(target);
        if (count !== 0) {
          if (count === null) this.#finish(undefined);
          return count;
        }
      }
    } catch (error) {
      this.#finish(error);
      return null;
    }
  }

  /** Lets the client go. Reads and writes under way fail. */
  close(): void {
    closeQuietly(this.#wire);
  }

  #read(): Promise<void> {
    if (this.start === this.end) {
      this.start = this.end = 0;
      // What a large head needed is not kept for a client that rests.
      if (this.bytes.length > KEPT_BYTES) this.bytes = new Uint8Array(BASE_BYTES);
    }
    const target = this.end === 0 ? this.bytes : this.bytes.subarray(this.end);
    return this.#reading = this.#wire.read(target).then(this.#arrived, this.#broke);
  }

  readonly #arrived = (count: number | null): void => {
    this.#reading = undefined;
    if (count === null) return this.#finish(undefined);
    this.end += count;
    if (this.#watching && this.end < this.bytes.length) this.#read();
  };

  readonly #broke = (error: unknown): void => {
    this.#reading = undefined;
    this.#finish(error);
  };

  #finish(error: unknown): void {
    this.failure = error;
    if (this.ended) return;
    this.ended = true;
    this.#onEnd();
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(bytes);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

/** Holds most heads. Each connection that idles has this much waiting for its next request. */
const BASE_BYTES = 2 * 1024;
const KEPT_BYTES = 8 * 1024;
