/**
 * The client of one `Request`, as the exchange sees it.
 *
 * @module
 */

import type { ClientSide } from "../../exchange/exchange.ts";
import type { BodySource } from "../../http/body.ts";
import { StreamSource } from "./stream_source.ts";

/** A request's body and its client's presence. */
export class RuntimeClient implements ClientSide {
  readonly #request: Request;
  readonly #served: boolean;

  /** @param served Whether the request is that of BWS's own port, so that nobody else holds pieces of its body. */
  constructor(request: Request, served: boolean) {
    this.#request = request;
    this.#served = served;
  }

  /** The request's body. */
  get body(): BodySource | null {
    const { body } = this.#request;
    return body === null ? null : new StreamSource(body, this.#served ? "given" : "shared");
  }

  /** Fires when the client leaves. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }
}
