/**
 * The body of a response that is passed on piece by piece, as it arrives from the upstream. It ends once: delivered,
 * broken off or cancelled; its attempt then releases the connection and the slot.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import type { BodySink, BodySource } from "../../http/body.ts";
import type { Connection } from "../../upstream/connection/connection.ts";

/** The attempt that a body belongs to. */
export interface ResponseOwner {
  /** Whether the connection and the slot are released. */
  readonly settled: boolean;
  /** The last piece of the body was delivered. */
  bodyEnded(): void;
  /** The body broke off. */
  bodyLost(failure: TransportFailure): void;
  /** The client cancelled the body. */
  bodyCancelled(): void;
}

/** Reads the body from a connection. Owned by its attempt, which owns the connection. */
export class ResponseSource implements BodySource {
  readonly #owner: ResponseOwner;
  readonly #connection: Connection;
  #sink: BodySink | undefined;
  /** The failure, if the body broke off before it was started. */
  #lost: TransportFailure | undefined;
  /** Whether the last piece is being delivered. */
  #complete = false;

  /** @param connection Positioned after the head of the response. */
  constructor(owner: ResponseOwner, connection: Connection) {
    this.#owner = owner;
    this.#connection = connection;
    // Middleware, or a program, may never read the body.
    connection.deadlines.awaitClient();
  }

  /** Begins to deliver to `sink`. */
  start(sink: BodySink): void {
    if (this.#lost === undefined) this.#sink = sink;
    else sink.fail(this.#lost);
  }

  /** Delivers the next piece. */
  pull(): void {
    if (!this.#complete && !this.#owner.settled) this.#deliver(this.#sink as BodySink);
  }

  /** Cancels the body. */
  cancel(): void {
    if (!this.#owner.settled) this.#owner.bodyCancelled();
  }

  /** The body broke off by `error`. */
  lose(error: unknown): void {
    if (this.#owner.settled) return;
    const failure = error instanceof TransportFailure
      ? error
      : new TransportFailure("dropped", "The response could not be read", error);
    this.#owner.bodyLost(failure);
    this.#lost = failure;
    this.#sink?.fail(failure);
  }

  // Never rejects.
  async #deliver(sink: BodySink): Promise<void> {
    const connection = this.#connection;
    connection.deadlines.endClient();
    try {
      const chunk = await connection.nextChunk();
      if (this.#owner.settled) return;
      if (chunk !== null) {
        if (!connection.bodyEnded) {
          // Before the piece is delivered: the sink may pull within the call.
          connection.deadlines.awaitClient();
          return sink.piece(chunk, "given");
        }
        this.#complete = true;
        sink.piece(chunk, "given");
        if (this.#owner.settled) return;
      }
      this.#owner.bodyEnded();
      sink.end();
    } catch (error) {
      this.lose(error);
    }
  }
}
