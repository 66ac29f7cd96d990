/**
 * The body of a response that is passed on piece by piece, as it arrives from the upstream. It ends once: delivered, lost,
 * or no longer wanted; then its attempt gives back what it holds.
 *
 * @module
 */

import { detachBuffer } from "../../http/detach_buffer.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { Connection } from "../../upstream/connection/connection.ts";
import type { Exchange } from "../../exchange/exchange.ts";

/** The attempt that a body belongs to. */
export interface ResponseOwner {
  /** Whether it has given back what it held. */
  readonly settled: boolean;
  /** The body was handed over to its last byte. */
  bodyEnded(): void;
  /** The body broke off. */
  bodyLost(failure: TransportFailure): void;
  /** The client wants no more of it. */
  bodyCancelled(): void;
}

/** Reads the body off a connection. Owned by its attempt, which owns the connection. */
export class ResponseSource implements UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> {
  readonly #owner: ResponseOwner;
  readonly #connection: Connection;
  readonly #exchange: Exchange;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  /** The piece that waits in the client's stream. */
  #queued: Uint8Array<ArrayBuffer> | undefined;

  /** @param connection Its response's head has been read. */
  constructor(owner: ResponseOwner, connection: Connection, exchange: Exchange) {
    this.#owner = owner;
    this.#connection = connection;
    this.#exchange = exchange;
  }

  /** Keeps the way to the client's stream. */
  start(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    this.#controller = controller;
  }

  /** Hands the next piece to the client. */
  async pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    const connection = this.#connection;
    connection.deadlines.endClient();
    try {
      const chunk = await connection.nextChunk();
      if (this.#owner.settled) return;
      if (chunk !== null) {
        this.#exchange.sent(chunk.length);
        controller.enqueue(chunk);
        if (this.#exchange.ownsBodies) this.#release(controller, chunk);
        if (!connection.bodyEnded) {
          if ((controller.desiredSize ?? 0) <= 0) connection.deadlines.awaitClient();
          return;
        }
      }
      controller.close();
      this.#owner.bodyEnded();
    } catch (error) {
      this.lose(error);
    }
  }

  /** The client wants no more. */
  cancel(): void {
    if (!this.#owner.settled) this.#owner.bodyCancelled();
  }

  /** The rest will not come. A half response is never passed off as whole: the error makes the listener cut the connection. */
  lose(error: unknown): void {
    if (this.#owner.settled) return;
    const failure = error instanceof TransportFailure
      ? error
      : new TransportFailure("dropped", "The answer could not be read", error);
    this.#owner.bodyLost(failure);
    if (failure.kind === "client_left") {
      // There is nobody left to be deceived, and an error would only be printed.
      this.#controller?.close();
    } else {
      // Text, not an Error: the runtime prints what a stream fails with, and a stack trace would say nothing.
      this.#controller?.error(`bws: ${this.#exchange.requestId}: answer cut short: ${failure.message}`);
    }
  }

  // Pieces that have been sent on. One that was waited for was taken at once, and the queue is empty as before. One that
  // was not is taken by the time that the next is there, since nothing is read ahead of it.
  #release(controller: ReadableStreamDefaultController, chunk: Uint8Array<ArrayBuffer>): void {
    if (this.#queued !== undefined) detachBuffer(this.#queued);
    this.#queued = undefined;
    if ((controller.desiredSize ?? 0) > 0) detachBuffer(chunk);
    else this.#queued = chunk;
  }
}
