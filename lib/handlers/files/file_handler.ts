/**
 * The handler of a site's files.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Handler } from "../../exchange/filter.ts";
import type { HttpResponse } from "../../http/message.ts";
import type { FileServer } from "./file_server.ts";

/** Serves the files of one site. */
export class FileHandler implements Handler {
  readonly #files: FileServer;

  /** @param files The files. */
  constructor(files: FileServer) {
    this.#files = files;
  }

  /** Serves a file: at once where it is in memory. */
  handle(exchange: Exchange): Outcome | Promise<Outcome> {
    const response = this.#files.serve(exchange.head);
    return response instanceof Promise
      ? response.then((late) => this.#outcome(exchange, late))
      : this.#outcome(exchange, response);
  }

  #outcome({ head }: Exchange, response: HttpResponse): Outcome {
    const { status, headers } = response;
    // A precondition that does not hold is what the client asked to be told.
    if (status < 400 || status === 412) return response;
    return new ExchangeFailure(status, this.#files.reason(head, status), { lines: headers });
  }
}
