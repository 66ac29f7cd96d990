/**
 * What a listener hands its requests to.
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
   * Responds to a request. Never throws and never rejects.
   *
   * @param held The exchange, where {@linkcode hold} began it.
   */
  respond(head: RequestHead, client: ClientSide, held?: Exchange): HttpResponse | Promise<HttpResponse>;
  /**
   * Responds to a request that cannot be served, so that it is in the log all the same. Never throws.
   *
   * @param head What could be read of it; its host is empty where that is not known.
   */
  refuse(head: RequestHead, client: ClientSide, refusal: Refusal, held?: Exchange): HttpResponse;
  /** Begins an exchange that ends with what is given to {@linkcode release}: middleware may still change the response. */
  hold(head: RequestHead, client: ClientSide): Exchange;
  /** Delivers what became of an exchange that was held. Never throws. */
  release(held: Exchange, outcome: Outcome): HttpResponse;
}
