/**
 * The client of one request, as its exchange uses it.
 *
 * @module
 */

import type { ClientSide } from "../../exchange/exchange.ts";
import type { BodySource } from "../../http/body.ts";
import type { IncomingBody } from "./incoming_body.ts";

/** The body of a request, and whether its client is still connected. */
export class RequestClient implements ClientSide {
  /** The body as the connection knows it. */
  readonly incoming: IncomingBody | undefined;
  #abort: AbortController | undefined;
  #gone = false;

  /** Connected until {@linkcode leave} is called. */
  constructor(incoming: IncomingBody | undefined) {
    this.incoming = incoming;
  }

  get body(): BodySource | null {
    return this.incoming ?? null;
  }

  /** Aborted when the client disconnects. Created on demand: most exchanges do not use it. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#gone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Whether the client has disconnected. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Records that the client has disconnected. */
  leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#abort?.abort();
    this.incoming?.fail(new Error("The client left"));
  }
}
