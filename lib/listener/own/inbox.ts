/**
 * Bytes received from a client and not yet parsed. At most one read is pending. It stays pending while a response is
 * made, so that a client that disconnects is noticed at once, and it is the read that the next request needs anyway.
 *
 * @module
 */

import { closeQuietly, type Wire } from "../../sockets/wire.ts";
import { ByteWindow } from "../../http1/byte_window.ts";

/** The received bytes of one client. Owned by its connection. */
export class Inbox extends ByteWindow {
  /** Whether no more bytes will arrive. */
  ended = false;
  /** The error of the last read. */
  failure: unknown;
  readonly #wire: Wire;
  readonly #onEnd: () => void;
  #reading: Promise<void> | undefined;
  #watching = false;

  /** @param onEnd Called once when the client has closed its side, or the connection failed. */
  constructor(wire: Wire, onEnd: () => void) {
    super(BASE_BYTES);
    this.#wire = wire;
    this.#onEnd = onEnd;
  }

  /** Whether a read into {@linkcode bytes} is pending. */
  get reading(): boolean {
    return this.#reading !== undefined;
  }

  /** Waits for more bytes, or the end. There must be free space. Never rejects. */
  more(): Promise<void> {
    this.#watching = false;
    return this.#reading ?? this.#read();
  }

  /** Continues to read while there is free space, to notice when the client disconnects. */
  watch(): void {
    this.#watching = true;
    if (this.#reading === undefined && this.end < this.bytes.length) this.#read();
  }

  /** Reads directly into `target`: for bodies, while no bytes are buffered and no read is pending. Null at the end. */
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

  /** Closes the connection. Pending reads and writes fail. */
  close(): void {
    closeQuietly(this.#wire);
  }

  #read(): Promise<void> {
    // A buffer that grew for a large head is not kept for an idle client.
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

/** Large enough for most heads. Each idle connection has a buffer of this size for its next request. */
const BASE_BYTES = 2 * 1024;
const KEPT_BYTES = 8 * 1024;
