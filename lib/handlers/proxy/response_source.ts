/**
 * The body of a response that is passed on piece by piece, as it arrives from the upstream. It ends once: delivered,
 * broken off or cancelled; its attempt then releases the connection and the slot.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import type { BodySink, BodySource, Ownership } from "../../http/body.ts";
import { sentTrailers } from "../../http/trailers.ts";

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

/** Passes on the body of a connection. Owned by its attempt, which owns the connection. */
export class ResponseSource implements BodySource, BodySink {
  readonly #owner: ResponseOwner;
  readonly #body: BodySource;
  #sink: BodySink | undefined;
  /** The failure, if the body broke off before it was started. */
  #lost: TransportFailure | undefined;

  /** @param body The body of the owner's connection. */
  constructor(owner: ResponseOwner, body: BodySource) {
    this.#owner = owner;
    this.#body = body;
    body.start(this);
  }

  /** Begins to deliver to `sink`. */
  start(sink: BodySink): void {
    if (this.#lost === undefined) this.#sink = sink;
    else sink.fail(this.#lost);
  }

  /** Delivers the next piece. */
  pull(): void {
    if (!this.#owner.settled) this.#body.pull();
  }

  /** Cancels the body. */
  cancel(reason: unknown): void {
    if (this.#owner.settled) return;
    this.#body.cancel(reason);
    this.#owner.bodyCancelled();
  }

  /** From the connection: the next piece. */
  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#sink?.piece(bytes, ownership);
  }

  /** From the connection: the body is complete. */
  end(trailers?: readonly string[]): void {
    if (this.#owner.settled) return;
    this.#owner.bodyEnded();
    this.#sink?.end(trailers && sentTrailers(trailers));
  }

  /** From the connection: the body broke off. */
  fail(reason: unknown): void {
    if (this.#owner.settled) return;
    const failure = reason instanceof TransportFailure
      ? reason
      : new TransportFailure("dropped", "The response could not be read", reason);
    this.#owner.bodyLost(failure);
    this.#lost = failure;
    this.#sink?.fail(failure);
  }
}
