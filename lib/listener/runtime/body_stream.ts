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
    this.#source.pull();
  }

  cancel(reason: unknown): void {
    this.#source.cancel(reason);
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#pulled = false;
    const taken = keep(bytes, ownership);
    this.#controller?.enqueue(taken);
    if (this.#served) release(taken, ownership === "lent" ? "given" : ownership);
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
