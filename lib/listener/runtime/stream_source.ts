/**
 * A `ReadableStream` of the runtime's server or of an embedding application as a body source.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import { type BodySink, type BodySource, type Ownership, release } from "../../http/body.ts";
import type { Upload, Uploads } from "./uploads.ts";

/** Small pieces after which a body is not cancelled any more, and what a small one is, in bytes. */
const MANY_PIECES = 16;
const SMALL_BYTES = 512;

/** Reads a stream. */
export class StreamSource implements BodySource, Upload {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #ownership: Ownership;
  readonly #uploads: Uploads | undefined;
  #sink: BodySink | undefined;
  #reading = false;
  #over = false;
  #smallPieces = 0;
  #cut: string | undefined;

  /**
   * @param ownership Who owns the stream's pieces: `given` where nobody else holds them, else `shared`.
   * @param uploads Gets the body until it has ended.
   */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>, ownership: "given" | "shared", uploads?: Uploads) {
    this.#reader = stream.getReader();
    this.#ownership = ownership;
    this.#uploads = uploads;
    uploads?.add(this);
  }

  /** As the contract says. */
  start(sink: BodySink): void {
    this.#sink = sink;
  }

  /** As the contract says. */
  pull(): void {
    if (this.#over) return;
    this.#reading = true;
    this.#reader.read().then(this.#arrived, this.#broke);
  }

  /** As the contract says. */
  cancel(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#uploads?.delete(this);
    // If the request is cancelled and its response sent, the runtime never settles a pending read, and keeps everything
    // that waits for it in memory. Without a cancel, it settles when the client sends or leaves.
    if (!this.#reading) this.#cancelStream(reason);
  }

  /** The port is about to break the body. */
  cut(reason: string): void {
    this.#cut = reason;
  }

  readonly #arrived = ({ value, done }: ReadableStreamReadResult<Uint8Array<ArrayBuffer>>): void => {
    this.#reading = false;
    if (this.#over) {
      if (!done) this.#cancelStream("The request's body is not wanted any more");
    } else if (done) {
      this.#over = true;
      this.#uploads?.delete(this);
      this.#sink?.end();
    } else if (value.length === 0) {
      this.pull();
    } else {
      this.#deliver(value);
    }
  };

  readonly #broke = (error: unknown): void => {
    this.#reading = false;
    if (this.#over) return;
    this.#over = true;
    this.#uploads?.delete(this);
    this.#sink?.fail(this.#cut === undefined ? error : new TransportFailure("dropped", this.#cut, error));
  };

  #deliver(value: Uint8Array<ArrayBuffer>): void {
    if (value.length < SMALL_BYTES) this.#smallPieces++;
    if (value.length * 4 >= value.buffer.byteLength) return this.#sink?.piece(value, this.#ownership);
    // A few bytes in a large buffer would keep all of it: the runtime reads a body of 1 KB into 64 KiB.
    const copy = value.slice();
    release(value, this.#ownership);
    this.#sink?.piece(copy, "given");
  }

  #cancelStream(reason: unknown): void {
    // The runtime reads a cancelled body to its end, within one turn: with small pieces that takes time by the square of
    // their number, and blocks the worker. A body that is not cancelled ends with its exchange.
    if (this.#smallPieces > MANY_PIECES) return;
    // The stream may be broken already.
    this.#reader.cancel(reason).catch(() => {});
  }
}
