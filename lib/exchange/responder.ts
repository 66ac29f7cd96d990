/**
 * The contract between a listener and the generation that responds to its requests.
 *
 * @module
 */

import type { HttpResponse, RequestHead } from "../http/message.ts";
import type { Refusal } from "../http/refusal.ts";
import type { ClientSide, Exchange } from "./exchange.ts";
import type { Outcome } from "./exchange_failure.ts";

/** Responds to the requests of one listener. */
export interface Responder {
  /**
   * Responds to a request. Never throws and never rejects. `LATER` is returned, or resolved to, only where the client has
   * `respondLate`.
   *
   * @param held The exchange, if {@linkcode hold} began it.
   */
  respond(head: RequestHead, client: ClientSide, held?: Exchange): HttpResponse | Promise<HttpResponse>;
  /**
   * Responds to a request that cannot be served, and logs it. Never throws.
   *
   * @param head The part of the head that could be read; its host is empty where that is not known.
   */
  refuse(head: RequestHead, client: ClientSide, refusal: Refusal, held?: Exchange): HttpResponse;
  /** Begins an exchange that ends with the response given to {@linkcode release}, which middleware may have changed. */
  hold(head: RequestHead, client: ClientSide): Exchange;
  /** Delivers the outcome of a held exchange. Never throws. */
  release(held: Exchange, outcome: Outcome): HttpResponse;
}
