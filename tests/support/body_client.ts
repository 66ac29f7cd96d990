/**
 * The client of a test that sends a body, piece by piece.
 *
 * @module
 */

import type { BodySink, BodySource, Ownership } from "../../lib/http/body.ts";

/** Holds back what is sent until it is pulled. */
export class BodyClient implements BodySource {
  /** Why it was cancelled. */
  cancelled: unknown;
  readonly #ownership: Ownership;
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  #sink: BodySink | undefined;
  #pulled = false;
  #ended = false;
  #trailers: readonly string[] | undefined;

  /** @param ownership Who owns the pieces. */
  constructor(ownership: Ownership = "given") {
    this.#ownership = ownership;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
  }

  pull(): void {
    this.#pulled = true;
    this.#deliver();
  }

  cancel(reason: unknown): void {
    this.cancelled = reason;
  }

  /** Sends a piece. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#waiting.push(bytes);
    this.#deliver();
  }

  /** Pieces that were not pulled. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Ends the body. */
  end(trailers?: readonly string[]): void {
    this.#ended = true;
    this.#trailers = trailers;
    this.#deliver();
  }

  #deliver(): void {
    if (!this.#pulled) return;
    const piece = this.#waiting.shift();
    if (piece === undefined && !this.#ended) return;
    this.#pulled = false;
    if (piece === undefined) this.#sink?.end(this.#trailers);
    else this.#sink?.piece(piece, this.#ownership);
  }
}
