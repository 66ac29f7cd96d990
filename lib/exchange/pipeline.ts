/**
 * The pipeline of a route: a request passes its filters to the handler, and the response passes them in reverse order
 * to the delivery.
 *
 * @module
 */

import { type HttpResponse, keepResponse, LATER } from "../http/message.ts";
import type { Exchange } from "./exchange.ts";
import { ExchangeFailure, failureOf, type Outcome } from "./exchange_failure.ts";
import type { Filter, Handler } from "./filter.ts";

/** The end of a pipeline: the delivery. */
export interface PipelineEnd {
  /**
   * Whether it takes header lines of upstreams as `HttpResponse.passed`.
   *
   * @default {false}
   */
  readonly takesPassed?: boolean;
  /** The error response to a failure. Never throws. */
  fail(exchange: Exchange, failure: ExchangeFailure): HttpResponse;
  /** Delivers the response. Never throws. */
  deliver(exchange: Exchange, response: HttpResponse): HttpResponse;
}

type RequestFilter = Filter & Required<Pick<Filter, "request">>;
type ResponseFilter = Filter & Required<Pick<Filter, "response">>;

/** Filters by what they do; see {@linkcode Pipeline} for the members. */
interface Chain {
  readonly request: readonly RequestFilter[];
  readonly response: readonly ResponseFilter[];
  readonly before: readonly number[];
}

/**
 * The filters of one route and its handler, built once. A filter that is not configured is in neither list, and a
 * request for which nothing waits is handled synchronously.
 */
export class Pipeline {
  /** In the order of the request. */
  readonly #request: readonly RequestFilter[];
  /** In the order of the response: the filter next to the handler first. */
  readonly #response: readonly ResponseFilter[];
  /** For each of `#request`, the index in `#response` of the filter before it, which gets its response first. */
  readonly #before: readonly number[];
  readonly #handler: Handler;
  readonly #end: PipelineEnd;
  /** Whether the handler may respond with `HttpResponse.passed`. */
  readonly takesPassed: boolean;

  /** @param filters In the order of the request. */
  constructor(filters: readonly Filter[], handler: Handler, end: PipelineEnd) {
    const chain = chainOf(filters);
    this.#request = chain.request;
    this.#response = chain.response;
    this.#before = chain.before;
    this.#handler = handler;
    this.#end = end;
    this.takesPassed = this.#response.length === 0 && end.takesPassed === true;
  }

  /**
   * Responds to a request. Never throws and never rejects; returns a promise, or `LATER`, only if a filter or the handler
   * did.
   */
  run(exchange: Exchange): HttpResponse | Promise<HttpResponse> {
    return this.#down(exchange, 0);
  }

  /** Passes back the outcome of a handler that returned `LATER`. Never throws. */
  resume(exchange: Exchange, outcome: Outcome): void {
    const response = this.#up(exchange, outcome, 0);
    if (response instanceof Promise) response.then((late) => exchange.client.respondLate?.(late));
    else exchange.client.respondLate?.(response);
  }

  /** Passes back what a handler that returned `LATER` has thrown since. Never throws. */
  resumeThrown(exchange: Exchange, error: unknown): void {
    this.resume(exchange, this.#thrown(exchange, error));
  }

  /** Passes the request on, from filter `at` to the handler. */
  #down(exchange: Exchange, at: number): HttpResponse | Promise<HttpResponse> {
    const filters = this.#request;
    let made: Outcome | undefined | Promise<Outcome | undefined>;
    try {
      for (; at < filters.length; at++) {
        made = filters[at].request(exchange);
        if (made !== undefined) break;
      }
      if (made === undefined) {
        exchange.pipeline = this;
        made = this.#handler.handle(exchange);
        if (made === LATER) return LATER;
      }
    } catch (error) {
      made = this.#thrown(exchange, error);
    }
    if (made instanceof Promise) return this.#late(exchange, made, at);
    return this.#up(exchange, made, at < filters.length ? this.#before[at] : 0);
  }

  async #late(exchange: Exchange, made: Promise<Outcome | undefined>, at: number): Promise<HttpResponse> {
    let outcome: Outcome | undefined;
    try {
      outcome = await made;
    } catch (error) {
      outcome = this.#thrown(exchange, error);
    }
    if (outcome === undefined) return this.#down(exchange, at + 1);
    return this.#up(exchange, outcome, at < this.#request.length ? this.#before[at] : 0);
  }

  /** Passes the response back, from filter `at` to the delivery. */
  #up(exchange: Exchange, made: Outcome, at: number): HttpResponse | Promise<HttpResponse> {
    const filters = this.#response;
    let response = made instanceof ExchangeFailure ? this.#end.fail(exchange, made) : made;
    // The time that response filters take is part of the exchange's duration, and they may keep the body.
    if (at < filters.length) {
      exchange.respondedMs = 0;
      response = keepResponse(response);
    }
    for (; at < filters.length; at++) {
      let next: Outcome | Promise<Outcome>;
      try {
        next = filters[at].response(exchange, response);
      } catch (error) {
        next = failureOf(error);
      }
      if (next instanceof Promise) return this.#upLate(exchange, next, at);
      response = next instanceof ExchangeFailure ? this.#end.fail(exchange, next) : next;
    }
    return this.#end.deliver(exchange, response);
  }

  async #upLate(exchange: Exchange, made: Promise<Outcome>, at: number): Promise<HttpResponse> {
    let outcome: Outcome;
    try {
      outcome = await made;
    } catch (error) {
      outcome = failureOf(error);
    }
    return this.#up(exchange, outcome, at + 1);
  }

  #thrown(exchange: Exchange, error: unknown): ExchangeFailure {
    return this.#handler.failure?.(exchange, error) ?? failureOf(error);
  }
}

// Pipelines with the same list of filters share what is made of it: the requests of thousands of routes would not find all
// their lists in the processor's caches.
const chains = new WeakMap<readonly Filter[], Chain>();

function chainOf(filters: readonly Filter[]): Chain {
  const made = chains.get(filters);
  if (made !== undefined) return made;
  const request = filters.filter((filter): filter is RequestFilter => filter.request !== undefined);
  const response = filters.filter((filter): filter is ResponseFilter => filter.response !== undefined).reverse();
  const before = request.map((filter) => {
    const earlier = filters.slice(0, filters.indexOf(filter));
    return response.length - earlier.filter(({ response }) => response !== undefined).length;
  });
  const chain = { request, response, before };
  chains.set(filters, chain);
  return chain;
}
