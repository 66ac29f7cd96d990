/**
 * The handler of a site's files.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Handler } from "../../exchange/filter.ts";
import type { HttpResponse, RequestHead } from "../../http/message.ts";
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
    const response = this.#files.serve(exchange.head, exchange.takesPassed);
    return response instanceof Promise
      ? response.then((late) => fileOutcome(exchange.head, late, this.#files))
      : fileOutcome(exchange.head, response, this.#files);
  }
}

/** What a response of a file server is: one from 400 is a failure, whose error response others make. */
export function fileOutcome(head: RequestHead, response: HttpResponse, files: FileServer): Outcome {
  const { status, headers } = response;
  // A precondition that fails is what the client asked for.
  if (status < 400 || status === 412) return response;
  return new ExchangeFailure(status, files.reason(head, status), { lines: headers });
}
