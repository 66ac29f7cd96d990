/**
 * A buffered body in memory, as a source.
 *
 * @module
 */

import type { BufferedSource } from "../../exchange/body_buffering.ts";
import type { BodySink } from "../../http/body.ts";
import type { BufferedBodyEnd } from "./file_body.ts";

/** Delivers bytes in one piece. Owned by the exchange. */
export class MemoryBody implements BufferedSource {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #end: BufferedBodyEnd;
  #sink: BodySink | undefined;
  #delivered = false;

  constructor(bytes: Uint8Array<ArrayBuffer>, end: BufferedBodyEnd) {
    this.#bytes = bytes;
    this.#end = end;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
  }

  pull(): void {
    if (this.#delivered || this.#bytes.length === 0) return this.#sink?.end(this.#end.trailers);
    this.#delivered = true;
    this.#sink?.piece(this.#bytes, "shared");
  }

  rewind(): void {
    this.#delivered = false;
  }

  cancel(): void {
    this.release();
  }

  release(): void {
    this.#sink = undefined;
    this.#end.release();
  }
}
