/**
 * Why an exchange gets an error response.
 *
 * @module
 */

import type { FailureOwner } from "../failure/failure.ts";
import { shortageOf } from "../failure/shortage.ts";
import type { HttpResponse } from "../http/message.ts";

/** Optional properties of a failure. */
export interface ExchangeFailureOptions {
  /**
   * Who caused it.
   *
   * @default {"client" up to 499, "proxy" above}
   */
  readonly owner?: FailureOwner;
  /**
   * Header lines of the error response, such as Allow: `[name, value, …]`.
   *
   * @default {[]}
   */
  readonly lines?: readonly string[];
}

/**
 * An exchange that failed, with the error response for the client. It is returned like a response, not thrown: the
 * stack trace of an error would cost more than the rest of the exchange.
 */
export class ExchangeFailure {
  /** Status for the client; 499 when the client has left. */
  readonly status: number;
  /** What happened, for the log; never for the client. */
  readonly cause: string;
  /** Who caused it. */
  readonly owner: FailureOwner;
  /** Header lines of the error response. */
  readonly lines: readonly string[];

  /** @param cause What happened, for the log. */
  constructor(status: number, cause: string, options: ExchangeFailureOptions = {}) {
    this.status = status;
    this.cause = cause;
    this.owner = options.owner ?? (status < 500 ? "client" : "proxy");
    this.lines = options.lines ?? [];
  }
}

/** Result of a filter or a handler: a response, or a failure that becomes the error response of its status. */
export type Outcome = HttpResponse | ExchangeFailure;

/**
 * The failure of an exchange in which `error` was thrown: a fault in BWS, or a machine without memory or file handles.
 */
export function failureOf(error: unknown): ExchangeFailure {
  const shortage = shortageOf(error);
  if (shortage !== undefined) {
    return new ExchangeFailure(503, `Cannot respond: ${shortage.advice}`, { lines: ["retry-after", "1"] });
  }
  const reason = error instanceof Error ? error.stack ?? error.message : String(error);
  return new ExchangeFailure(500, `Internal error: ${reason}`);
}
