/**
 * The client of one request, as the exchange sees it.
 *
 * @module
 */

import type { ClientSide } from "../exchange/exchange.ts";
import type { BodySource } from "../http/body.ts";
import type { IncomingBody } from "./incoming_body.ts";

/** A request's body and its client's presence. */
export class RequestClient implements ClientSide {
  /** The body as the connection knows it. */
  readonly incoming: IncomingBody | undefined;
  #abort: AbortController | undefined;
  #gone = false;

  /** Is there until {@linkcode leave} is called. */
  constructor(incoming: IncomingBody | undefined) {
    this.incoming = incoming;
  }

  /** The request's body. */
  get body(): BodySource | null {
    return this.incoming ?? null;
  }

  /** Fires when the client leaves. Made on demand: most exchanges never ask. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#gone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Whether the client has left. */
  get gone(): boolean {
    return this.#gone;
  }

  /** The client has left. */
  leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#abort?.abort();
    this.incoming?.fail(new Error("The client left"));
  }
}
