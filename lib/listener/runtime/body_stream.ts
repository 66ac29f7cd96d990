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
 * @param served Whether the runtime's server alone reads the stream: it holds a piece's memory itself once that is enqueued.
 */
export function streamOf(source: BodySource, served: boolean): ReadableStream<Uint8Array<ArrayBuffer>> {
  // Without a queue a piece is enqueued only when it is waited for, and is taken in the same call.
  return new ReadableStream(new BodyStream(source, served), { highWaterMark: 0 });
}

class BodyStream implements UnderlyingDefaultSource<Uint8Array<ArrayBuffer>>, BodySink {
  readonly #source: BodySource;
  readonly #served: boolean;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  #pulled = false;
  /** Whether the source is delivering within the pull. */
  #pulling = false;
  /** A piece that is the reader's by the time that it asks for the next one. */
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
    // Somebody who reads twice without waiting asks twice.
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
    // The reader takes a piece within the call that enqueues it, unless that is the call in which it asked for the piece.
    if (this.#pulling) this.#untaken = taken;
    else release(taken, "given");
  }

  end(): void {
    this.#controller?.close();
  }

  fail(reason: unknown): void {
    // There is nobody left to be deceived, and an error would only be printed.
    if (reason instanceof TransportFailure && reason.kind === "client_left") this.#controller?.close();
    // Text, not an Error: the runtime prints what a stream fails with, and a stack trace would say nothing.
    else this.#controller?.error(reason instanceof Error ? reason.message : reason);
  }
}
