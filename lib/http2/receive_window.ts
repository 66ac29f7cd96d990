/**
 * The window for what is received on a stream or a connection (RFC 9113, section 5.2). It grows while its receiver uses
 * all that arrives at once, because the window limits the rate then: by the time that a byte and its WINDOW_UPDATE take.
 * A window of 64 KB and a round trip of 100 ms are 650 KB a second, whatever the link.
 *
 * @module
 */

import { MAX_WINDOW_BYTES } from "./frame.ts";

/** One window. */
export class ReceiveWindow {
  /** Its size. */
  bytes: number;
  /** Bytes that the peer may still send. */
  #available: number;
  readonly #maxBytes: number;
  /** Bytes that were used and not given back. */
  #used = 0;

  /** @param bytes The size that the peer knows of. */
  constructor(bytes: number, maxBytes: number) {
    this.bytes = bytes;
    this.#available = bytes;
    this.#maxBytes = maxBytes;
  }

  /** Takes bytes that arrive, padding included. Returns false where the peer may not send so many. */
  receive(bytes: number): boolean {
    this.#available -= bytes;
    return this.#available >= 0;
  }

  /**
   * Bytes were used, so that their memory is free.
   *
   * @param unused Bytes that arrived and wait to be used.
   * @returns By how much the window is to be increased, or 0: small increases are saved up.
   */
  use(bytes: number, unused: number): number {
    this.#used += bytes;
    if (this.#used * 2 < this.bytes) return 0;
    return this.#increase(unused === 0 ? Math.min(this.#maxBytes, 2 * this.bytes) : this.bytes);
  }

  /** Makes the window as large as `bytes`, if it is smaller. Returns by how much it is to be increased. */
  enlarge(bytes: number): number {
    return bytes > this.bytes ? this.#increase(bytes) : 0;
  }

  #increase(size: number): number {
    const increase = Math.min(MAX_WINDOW_BYTES - Math.max(0, this.#available), this.#used + size - this.bytes);
    this.bytes = size;
    this.#used = 0;
    this.#available += increase;
    return increase;
  }
}
