/**
 * What a pipeline is made of: filters, which see a request on its way to the handler and the response on its way back, and
 * the handler, which makes the response.
 *
 * @module
 */

import type { HttpResponse } from "../http/message.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeFailure } from "./exchange_failure.ts";

/**
 * One feature as configured, for the requests of one route, or for those of a site that no route takes. Built once for a
 * generation; it keeps nothing of an exchange. A function that has nothing to wait for gives no promise.
 */
export interface Filter {
  /**
   * Sees a request on its way to the handler.
   *
   * @returns A response ends the way here: neither the filters behind this one nor the handler see the request, and the
   * response goes back through the filters before this one. undefined lets the request pass.
   * @throws {ExchangeFailure} What becomes an error response.
   */
  request?(exchange: Exchange): HttpResponse | undefined | Promise<HttpResponse | undefined>;
  /**
   * Sees a response on its way to the client: the handler's, that of a filter behind this one, or an error response. Its
   * header lines may be changed in place.
   *
   * @throws {ExchangeFailure} What becomes an error response.
   */
  response?(exchange: Exchange, response: HttpResponse): HttpResponse | Promise<HttpResponse>;
  /**
   * Makes the error response of a failed exchange. The first filter that gives one decides; without any, the response is
   * the usual one.
   */
  errorResponse?(exchange: Exchange, failure: ExchangeFailure): HttpResponse | undefined;
}

/** Who makes the response to a request that all filters let pass: a proxied route, files, an endpoint. */
export interface Handler {
  /**
   * Responds to a request.
   *
   * @throws {ExchangeFailure} What becomes an error response.
   */
  handle(exchange: Exchange): HttpResponse | Promise<HttpResponse>;
}
