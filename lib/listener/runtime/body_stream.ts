/**
 * A body as a `ReadableStream`, for the runtime's server and for embedding applications.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import { type BodySink, type BodySource, keep, type Ownership, release } from "../../http/body.ts";

/**
 * The stream of `source`.
 *
 * @param served Whether only the runtime's server reads the stream: it keeps the memory of each piece that is enqueued.
 */
export function streamOf(source: BodySource, served: boolean): ReadableStream<Uint8Array<ArrayBuffer>> {
  // Without a queue, a piece is enqueued only while a read is pending, and is read in the same call.
  return new ReadableStream(new BodyStream(source, served), { highWaterMark: 0 });
}

class BodyStream implements UnderlyingDefaultSource<Uint8Array<ArrayBuffer>>, BodySink {
  readonly #source: BodySource;
  readonly #served: boolean;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  #pulled = false;
  /** Whether the source is delivering within the pull. */
  #pulling = false;
  /** A piece that the reader has read when it pulls the next one. */
  #untaken: Uint8Array<ArrayBuffer> | undefined;

  constructor(source: BodySource, served: boolean) {
    this.#source = source;
    this.#served = served;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    this.#controller = controller;
    this.#source.start(this);
  }

  pull(): void {
    // Two reads at a time pull twice.
    if (this.#pulled) return;
    this.#pulled = true;
    if (this.#untaken !== undefined) release(this.#untaken, "given");
    this.#untaken = undefined;
    this.#pulling = true;
    this.#source.pull();
    this.#pulling = false;
  }

  cancel(reason: unknown): void {
    this.#source.cancel(reason);
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#pulled = false;
    const taken = keep(bytes, ownership);
    this.#controller?.enqueue(taken);
    if (!this.#served || ownership === "shared") return;
    // The reader reads a piece within the call that enqueues it, unless that is the call in which it pulled the piece.
    if (this.#pulling) this.#untaken = taken;
    else release(taken, "given");
  }

  end(): void {
    this.#controller?.close();
  }

  fail(reason: unknown): void {
    // The client has left: no half response can be taken for a whole one, and an error would only be printed.
    if (reason instanceof TransportFailure && reason.kind === "client_left") this.#controller?.close();
    // Text, not an Error: the runtime prints the reason, and a stack trace would not help.
    else this.#controller?.error(reason instanceof Error ? reason.message : reason);
  }
}
