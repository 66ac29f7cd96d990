/**
 * The span of one attempt at one upstream.
 *
 * @module
 */

import { type RuntimeSpan, type SpanAttributes, STATUS_ERROR } from "./runtime_tracer.ts";

/** Why an attempt failed, as far as a trace tells. */
export interface TracedFailure {
  /** What kind of failure it was; one of few. */
  readonly kind: string;
  /** What happened. */
  readonly message: string;
  /** Who caused it. */
  readonly owner: string;
}

/** Who has to know when an answer breaks off after its head was passed on. */
export interface RaceLoser {
  /** Set then. */
  errorType: string;
}

/** The span of one attempt. Begun by its exchange's span; ended when the attempt has given back what it held. */
export class AttemptSpan {
  readonly #span: RuntimeSpan;
  readonly #attributes: SpanAttributes;
  readonly #exchange: RaceLoser;
  #status: { code: number; message?: string } | undefined;
  #ended = false;

  /** Takes over `span`; `attributes` are what is known beforehand. */
  constructor(span: RuntimeSpan, attributes: SpanAttributes, exchange: RaceLoser) {
    this.#span = span;
    this.#attributes = attributes;
    this.#exchange = exchange;
  }

  /** The upstream answered. */
  answered(status: number): void {
    this.#attributes["http.response.status_code"] = BigInt(status);
    if (status < 400) return;
    // For those who ask, 4xx is a failure too (OpenTelemetry, semantic conventions for HTTP client spans).
    this.#attributes["error.type"] = String(status);
    this.#status = { code: STATUS_ERROR };
  }

  /** There is no answer. Leaving is a client's right, and no failure. */
  failed({ kind, message, owner }: TracedFailure): void {
    this.#attributes["error.type"] = kind;
    if (owner !== "client") this.#status = { code: STATUS_ERROR, message };
  }

  /** The answer broke off after its head was passed on, so the exchange has failed with it. */
  lost(failure: TracedFailure): void {
    this.failed(failure);
    if (failure.owner !== "client") this.#exchange.errorType = failure.kind;
  }

  /** Ends it; later calls change nothing. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#span.setAttributes(this.#attributes);
    if (this.#status !== undefined) this.#span.setStatus(this.#status);
    this.#span.end();
  }
}
