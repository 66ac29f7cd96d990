/**
 * The client of one `Request`, as the exchange sees it.
 *
 * @module
 */

import type { ClientSide } from "../../exchange/exchange.ts";
import type { BodySource } from "../../http/body.ts";
import { StreamSource } from "./stream_source.ts";
import type { Uploads } from "./uploads.ts";

/** A request's body and its client's presence. */
export class RuntimeClient implements ClientSide {
  readonly #request: Request;
  readonly #served: boolean;
  readonly #uploads: Uploads | undefined;

  /**
   * @param served Whether the request is that of BWS's own port, so that nobody else holds pieces of its body.
   * @param uploads Where the body is noted while it is read.
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
