/**
 * Reader of the echoes of a WebSocket.
 *
 * @module
 */

import type { ResponseReader } from "./response_reader.ts";

/** Reads messages of WebSockets that come as one frame each: an echo says nothing by itself, and no ping comes this soon. */
export class FrameReader implements ResponseReader {
  readonly #frameBytes: number;
  readonly #last: number;
  #filled = 0;

  /** @param last The last byte of each message. */
  constructor(frameBytes: number, last: number) {
    this.#frameBytes = frameBytes;
    this.#last = last;
  }

  take(bytes: Uint8Array, start: number, end: number): boolean {
    // The head of a whole binary message.
    if (this.#filled === 0 && bytes[start] !== 0x82) throw new Error(`frame begins with ${bytes[start]}`);
    this.#filled += end - start;
    if (this.#filled > this.#frameBytes) throw new Error("more bytes than expected");
    if (this.#filled < this.#frameBytes) return false;
    this.#filled = 0;
    if (bytes[end - 1] !== this.#last) throw new Error("message came back changed");
    return true;
  }
}
