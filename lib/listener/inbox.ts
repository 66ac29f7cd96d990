/**
 * What a client has sent and nobody has read yet. One read is open at most; while a response is made it stays open, so
 * that a client that leaves is noticed at once, and it is the read that the next request needs anyway.
 *
 * @module
 */

import { closeQuietly, type Wire } from "../sockets/wire.ts";
import { ByteWindow } from "../http1/byte_window.ts";

/** Bytes from one client. Owned by its connection. */
export class Inbox extends ByteWindow {
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
    super(BASE_BYTES);
    this.#wire = wire;
    this.#onEnd = onEnd;
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
    // What a large head needed is not kept for a client that idles.
    if (this.empty) this.clear(KEPT_BYTES);
    return this.#reading = this.#wire.read(this.room).then(this.#arrived, this.#broke);
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
}

/** Holds most heads. Each connection that idles has this much waiting for its next request. */
const BASE_BYTES = 2 * 1024;
const KEPT_BYTES = 8 * 1024;
