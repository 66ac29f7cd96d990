/**
 * The span of one attempt.
 *
 * @module
 */

import { type RuntimeSpan, type SpanAttributes, STATUS_ERROR } from "./runtime_tracer.ts";

/** The failure of an attempt, as a trace records it. */
export interface TracedFailure {
  /** Kind of the failure, one of a small fixed set. */
  readonly kind: string;
  /** Description for people. */
  readonly message: string;
  /** Who caused the failure. */
  readonly owner: string;
}

/** The part of an exchange's span that records a failure after the response head was forwarded. */
export interface FailedExchange {
  /** Kind of the failure. */
  errorType: string;
}

/** The span of one attempt. Started by the span of its exchange; ended when the attempt has released its resources. */
export class AttemptSpan {
  readonly #span: RuntimeSpan;
  readonly #attributes: SpanAttributes;
  readonly #exchange: FailedExchange;
  #status: { code: number; message?: string } | undefined;
  #ended = false;

  /** Takes ownership of `span`; `attributes` are those that are known at the start. */
  constructor(span: RuntimeSpan, attributes: SpanAttributes, exchange: FailedExchange) {
    this.#span = span;
    this.#attributes = attributes;
    this.#exchange = exchange;
  }

  /** The upstream responded. */
  responded(status: number): void {
    this.#attributes["http.response.status_code"] = BigInt(status);
    if (status < 400) return;
    // For a client span, 4xx is an error too (OpenTelemetry, semantic conventions for HTTP client spans).
    this.#attributes["error.type"] = String(status);
    this.#status = { code: STATUS_ERROR };
  }

  /** There is no response. A client abort is not an upstream failure. */
  failed({ kind, message, owner }: TracedFailure): void {
    this.#attributes["error.type"] = kind;
    if (owner !== "client") this.#status = { code: STATUS_ERROR, message };
  }

  /** The response ended early after its head was forwarded, so the exchange has failed too. */
  lost(failure: TracedFailure): void {
    this.failed(failure);
    if (failure.owner !== "client") this.#exchange.errorType = failure.kind;
  }

  /** Ends the span; later calls have no effect. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#span.setAttributes(this.#attributes);
    if (this.#status !== undefined) this.#span.setStatus(this.#status);
    this.#span.end();
  }
}
