/**
 * The client's side of an exchange, from a `Request`.
 *
 * @module
 */

import type { ClientSide } from "../../exchange/exchange.ts";
import type { BodySource } from "../../http/body.ts";
import { StreamSource } from "./stream_source.ts";
import type { Uploads } from "./uploads.ts";

/** The body of a request, and the signal that fires when its client leaves. */
export class RuntimeClient implements ClientSide {
  readonly #request: Request;
  readonly #served: boolean;
  readonly #uploads: Uploads | undefined;

  /**
   * @param served Whether the request arrived on a port of BWS, so that no other program holds pieces of its body.
   * @param uploads Gets the body while it is read.
   */
  constructor(request: Request, served: boolean, uploads: Uploads | undefined) {
    this.#request = request;
    this.#served = served;
    this.#uploads = uploads;
  }

  /** The request's body. */
  get body(): BodySource | null {
    const { body } = this.#request;
    return body === null ? null : new StreamSource(body, this.#served ? "given" : "shared", this.#uploads);
  }

  /** Fires when the client leaves. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }
}
