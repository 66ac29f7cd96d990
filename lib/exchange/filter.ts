/**
 * What a pipeline is made of: filters, which see a request on its way to the handler and the response on its way back, and
 * the handler, which makes the response.
 *
 * @module
 */

import type { HeaderLines, HttpResponse } from "../http/message.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeFailure, Outcome } from "./exchange_failure.ts";

/**
 * One feature as configured, for the requests of one route, or for those of a site that no route takes. Built once for a
 * generation; it keeps nothing of an exchange. A function that has nothing to wait for gives no promise.
 */
export interface Filter {
  /**
   * Sees a request on its way to the handler.
   *
   * @returns A response or a failure ends the way here: neither the filters behind this one nor the handler see the
   * request, and the response goes back through the filters before this one. undefined lets the request pass.
   */
  request?(exchange: Exchange): Outcome | undefined | Promise<Outcome | undefined>;
  /**
   * Sees a response on its way to the client: the handler's, that of a filter behind this one, or an error response. Its
   * header lines may be changed in place.
   */
  response?(exchange: Exchange, response: HttpResponse): Outcome | Promise<Outcome>;
  /**
   * Makes the error response of a failed exchange. The first filter that gives one decides; without any, it is the usual
   * one. One whose status is below 400 takes the failure back.
   */
  errorResponse?(exchange: Exchange, failure: ExchangeFailure): HttpResponse | undefined;
  /**
   * Puts header fields on each response that is delivered, in place: behind all `response`, and also on those that no
   * filter has seen, such as a refused request's.
   */
  fields?(exchange: Exchange, lines: HeaderLines): void;
}

/** Who makes the response to a request that all filters let pass: a proxied route, files, an endpoint. */
export interface Handler {
  /** Responds to a request. */
  handle(exchange: Exchange): Outcome | Promise<Outcome>;
  /** What an error means that {@linkcode handle} threw; undefined where it is none of this handler's. */
  failure?(exchange: Exchange, error: unknown): ExchangeFailure | undefined;
}
