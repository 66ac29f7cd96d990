/**
 * The body of a response that is passed on piece by piece, as it arrives from the upstream. It ends once: delivered, lost,
 * or no longer wanted; then its attempt gives back what it holds.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import type { BodySink, BodySource } from "../../http/body.ts";
import type { Connection } from "../../upstream/connection/connection.ts";

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
export class ResponseSource implements BodySource {
  readonly #owner: ResponseOwner;
  readonly #connection: Connection;
  #sink: BodySink | undefined;
  /** What it failed with before somebody took it. */
  #lost: TransportFailure | undefined;
  /** Whether the last piece is being delivered. */
  #complete = false;

  /** @param connection Its response's head has been read. */
  constructor(owner: ResponseOwner, connection: Connection) {
    this.#owner = owner;
    this.#connection = connection;
  }

  /** As the contract says. */
  start(sink: BodySink): void {
    if (this.#lost === undefined) this.#sink = sink;
    else sink.fail(this.#lost);
  }

  /** Hands the next piece to the client. */
  pull(): void {
    if (!this.#complete && !this.#owner.settled) this.#deliver(this.#sink as BodySink);
  }

  /** The client wants no more. */
  cancel(): void {
    if (!this.#owner.settled) this.#owner.bodyCancelled();
  }

  /** The rest will not come. */
  lose(error: unknown): void {
    if (this.#owner.settled) return;
    const failure = error instanceof TransportFailure
      ? error
      : new TransportFailure("dropped", "The answer could not be read", error);
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
          // Before the piece is delivered: whoever takes it may pull at once.
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
