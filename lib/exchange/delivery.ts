/**
 * The delivery of each response: proxied, served, refused, upgraded or made by middleware. It adds the last header
 * fields and sets the status. It alone ends the exchange, with its metrics, its span and its access record.
 *
 * @module
 */

import { errorResponse } from "../http/error_body.ts";
import { grpcFailure, isGrpc } from "../http/grpc.ts";
import { headerValue } from "../http/header_lines.ts";
import type { HeaderLines, HttpResponse, Upgrade } from "../http/message.ts";
import { CountedBody, type StallWatch } from "./counted_body.ts";
import type { Exchange } from "./exchange.ts";
import { ExchangeFailure } from "./exchange_failure.ts";
import type { Filter } from "./filter.ts";
import type { PipelineEnd } from "./pipeline.ts";

type FieldsFilter = Filter & Required<Pick<Filter, "fields">>;
type ErrorFilter = Filter & Required<Pick<Filter, "errorResponse">>;

/** Delivers the responses of one route, or of the requests of a site that match no route. Built once. */
export class Delivery implements PipelineEnd {
  /** In the order of the response: the reverse of the pipeline's. */
  readonly #fields: readonly FieldsFilter[];
  readonly #errorResponses: readonly ErrorFilter[];
  readonly #stall: StallWatch | undefined;
  readonly takesPassed: boolean;

  /**
   * @param filters The filters of the pipeline, in its order.
   * @param stall Limits how long a client may read nothing of a body; undefined where bodies limit that themselves.
   */
  constructor(filters: readonly Filter[], stall: StallWatch | undefined) {
    this.#fields = filters.filter((filter): filter is FieldsFilter => filter.fields !== undefined).reverse();
    this.#errorResponses = filters.filter((filter): filter is ErrorFilter => filter.errorResponse !== undefined);
    this.#stall = stall;
    this.takesPassed = this.#fields.every(({ takesPassed }) => takesPassed === true);
  }

  /** Records `failure` and makes its error response. */
  fail(exchange: Exchange, failure: ExchangeFailure): HttpResponse {
    const { status, lines } = failure;
    exchange.fromUpstream = false;
    if (status >= 400 && exchange.head !== undefined && isGrpc(exchange.head)) {
      exchange.failed(failure.cause, failure.owner);
      return grpcFailure(exchange.head, status, lines);
    }
    let response: HttpResponse | undefined;
    for (const filter of this.#errorResponses) {
      response = filter.errorResponse(exchange, failure);
      if (response !== undefined) break;
    }
    response ??= errorResponse(exchange.head, status, exchange.requestId, lines);
    if (response.status >= 400) exchange.failed(failure.cause, failure.owner);
    return response;
  }

  /** Delivers a response. The exchange ends now, at the end of its body, or when its WebSocket closes. */
  deliver(exchange: Exchange, response: HttpResponse): HttpResponse {
    const { headers, passed } = response;
    exchange.status = response.status;
    for (let i = 0; i < this.#fields.length; i++) this.#fields[i].fields(exchange, headers, passed);
    if (exchange.ownLines !== undefined) headers.push(...exchange.ownLines);
    if (!exchange.held) return this.#handOver(exchange, response);
    exchange.delivery = this;
    return response.upgrade === undefined ? response : this.#handOver(exchange, response);
  }

  /** Refuses a request that passes through no filter. */
  refuse(exchange: Exchange, failure: ExchangeFailure): HttpResponse {
    return this.deliver(exchange, this.fail(exchange, failure));
  }

  /** Delivers the response of a held exchange. Header fields that middleware set are not overwritten. */
  release(exchange: Exchange, response: HttpResponse): HttpResponse {
    exchange.held = false;
    exchange.status = response.status;
    const wanted: HeaderLines = [];
    for (const filter of this.#fields) filter.fields(exchange, wanted);
    for (let i = 0; i < wanted.length; i += 2) {
      if (headerValue(response.headers, wanted[i].toLowerCase()) === undefined) {
        response.headers.push(wanted[i], wanted[i + 1]);
      }
    }
    return this.#handOver(exchange, response);
  }

  #handOver(exchange: Exchange, response: HttpResponse): HttpResponse {
    const { body, upgrade } = response;
    if (upgrade !== undefined) {
      exchange.delivery = this;
      return { ...response, upgrade: this.#upgraded(exchange, upgrade) };
    }
    if (body !== null && !(body instanceof Uint8Array)) {
      return { ...response, body: new CountedBody(body, exchange, this, this.#stall) };
    }
    exchange.bytes = exchange.head.method === "HEAD" ? 0 : body?.length ?? 0;
    // The exchange of a response without a streamed body ends at the time its head was read.
    exchange.end(exchange.respondedMs || undefined);
    return response;
  }

  /** The body ended or broke off, or the WebSocket has closed. */
  ended(exchange: Exchange): void {
    exchange.end();
  }

  #upgraded(exchange: Exchange, upgrade: Upgrade): Upgrade {
    return {
      idleTimeoutSeconds: upgrade.idleTimeoutSeconds,
      begin: (socket) => upgrade.begin(socket),
      tunnel: upgrade.tunnel && ((client, early) => upgrade.tunnel?.(client, early)),
      fail: (reason) => {
        const { status } = upgrade.fail(reason);
        return this.refuse(
          exchange,
          new ExchangeFailure(status, `The client's connection cannot be upgraded: ${reason}`),
        );
      },
    };
  }
}
