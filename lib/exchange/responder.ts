/**
 * What a listener hands its requests to.
 *
 * @module
 */

import type { HttpResponse, RequestHead } from "../http/message.ts";
import type { Refusal } from "../http/refusal.ts";
import type { ClientSide } from "./exchange.ts";

/** Responds to the requests of one listener. */
export interface Responder {
  /** Responds to a request. Never throws and never rejects. */
  respond(head: RequestHead, client: ClientSide): HttpResponse | Promise<HttpResponse>;
  /**
   * Responds to a request that cannot be served, so that it is in the log all the same. Never throws.
   *
   * @param head What could be read of it; its host is empty where that is not known.
   */
  refuse(head: RequestHead, client: ClientSide, refusal: Refusal): HttpResponse;
}
