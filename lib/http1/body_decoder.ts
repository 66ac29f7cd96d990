/**
 * The body of one message, taken out of the bytes that arrive.
 *
 * @module
 */

import { ChunkedDecoder, type ChunkedDecoderOptions } from "./chunked_decoder.ts";
import type { BodyKind } from "./framing.ts";

/** Finds the end of one body after the other, and how much of it has been taken. */
export class BodyDecoder {
  /** How its end is found. */
  kind: BodyKind = "none";
  /** Where the last {@linkcode take} stopped: the index behind the last byte that belongs to this message. */
  consumed = 0;
  #remaining = 0;
  #chunked: ChunkedDecoder | undefined;

  /**
   * Begins a body.
   *
   * @param length Bytes of the body, for kind `length`.
   * @param options For kind `chunked`.
   */
  begin(kind: BodyKind, length: number, options?: ChunkedDecoderOptions): void {
    this.kind = kind;
    this.consumed = 0;
    this.#remaining = kind === "length" ? length : 0;
    this.#chunked = kind === "chunked" ? new ChunkedDecoder(options) : undefined;
  }

  /** Whether all of the body has been taken. Never true where the body lasts until the end of the connection. */
  get done(): boolean {
    if (this.#chunked !== undefined) return this.#chunked.done;
    return this.kind !== "close" && this.#remaining === 0;
  }

  /** Bytes of the body that are still to be taken, for kind `length`; else 0. */
  get remaining(): number {
    return this.#remaining;
  }

  /** Trailer lines of a chunked body that is {@linkcode done}, where they are kept; else none. */
  get trailers(): ChunkedDecoder["trailers"] {
    return this.#chunked?.trailers;
  }

  /**
   * Takes what belongs to the body from `bytes[start … end)`; the payload is moved together from `start` on.
   *
   * @returns Where the payload ends.
   * @throws {MalformedMessage} When it is badly chunked.
   */
  take(bytes: Uint8Array, start: number, end: number): number {
    if (this.#chunked !== undefined) {
      const payloadEnd = this.#chunked.decode(bytes, start, end);
      this.consumed = this.#chunked.consumed;
      return payloadEnd;
    }
    const payloadEnd = this.kind === "close" ? end : Math.min(end, start + this.#remaining);
    if (this.kind === "length") this.#remaining -= payloadEnd - start;
    this.consumed = payloadEnd;
    return payloadEnd;
  }
}
