/**
 * The contracts of the pipeline: filters, which process a request before the handler and the response after it, and the
 * handler, which makes the response.
 *
 * @module
 */

import type { HeaderLines, HttpResponse, RequestHead } from "../http/message.ts";
import type { HeaderBytes } from "../http1/header_bytes.ts";
import type { BodyBuffering } from "./body_buffering.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeFailure, Outcome } from "./exchange_failure.ts";

/**
 * One configured feature, for the requests of one route, or for those of a site that match no route. Built once for a
 * generation; it keeps no state of an exchange. A method that does not wait returns no promise.
 */
export interface Filter {
  /**
   * Gives a request another path and query, by another head of the exchange, before its route is chosen. Called for the
   * requests of a site, in no pipeline.
   *
   * @returns The failure of a request that is refused; undefined passes the request on.
   */
  rewrite?(exchange: Exchange): ExchangeFailure | undefined;
  /**
   * Processes a request before the handler.
   *
   * @returns With a response or a failure, the later filters and the handler do not get the request, and the response
   * passes back through the earlier filters. undefined passes the request on.
   */
  request?(exchange: Exchange): Outcome | undefined | Promise<Outcome | undefined>;
  /**
   * Processes a response: the handler's, that of a later filter, or an error response. Its header lines may be changed
   * in place.
   */
  response?(exchange: Exchange, response: HttpResponse): Outcome | Promise<Outcome>;
  /**
   * Makes the error response of a failed exchange. The first filter that returns one decides; without any, it is the
   * default one. With a status below 400 the exchange does not count as failed.
   */
  errorResponse?(exchange: Exchange, failure: ExchangeFailure): HttpResponse | undefined;
  /**
   * Adds header fields to each response that is delivered, in place: after every `response`, and also for responses
   * that passed no filter, such as that of a refused request.
   */
  fields?(exchange: Exchange, lines: HeaderLines, passed?: HeaderBytes): void;
  /**
   * Whether {@linkcode fields} does not change the lines of an upstream or a file, so that it can be given them as `passed`
   * in place of text.
   *
   * @default {false}
   */
  readonly takesPassed?: boolean;
  /** Limits the bodies of requests, for the handler that reads them. */
  readonly bodyLimit?: BodyLimit;
  /** Reads bodies of requests whole, for the handler that passes them on. */
  readonly bodyBuffering?: BodyBuffering;
  /**
   * Header lines for responses with a file, 200, 206 and 304 alike, or with a listing. Called when the file is looked
   * up, not for each request: the lines are kept with the file.
   *
   * @param path Decoded path of the file or folder, below `static_dir`.
   */
  fileLines?(path: string): readonly string[];
  /**
   * Whether {@linkcode errorResponse} makes the response to this request where no file is at its path: then no fixed
   * path of `try_files` is served in its place. Called only if the file is not in memory.
   */
  replacesMissing?(head: RequestHead): boolean;
}

/** Decides which request bodies are too large: they are refused with 413. */
export interface BodyLimit {
  /** Why a body with this Content-Length is refused before any of it is read; undefined if it is not. */
  announced(bytes: number): string | undefined;
  /** Why a body of which this many bytes have arrived is refused; undefined if it is not. */
  arrived(bytes: number): string | undefined;
}

/** Makes the response to a request that passed all filters: a proxied route, files, an endpoint. */
export interface Handler {
  /** Responds to a request; with `LATER` where the exchange takes that, and then by `Exchange.respondLate`. */
  handle(exchange: Exchange): Outcome | Promise<Outcome>;
  /** The failure for an error that {@linkcode handle} threw; undefined for an error that this handler does not know. */
  failure?(exchange: Exchange, error: unknown): ExchangeFailure | undefined;
}
