/**
 * Why a request was not forwarded, or got no response from an upstream, and the status that the client gets.
 *
 * @module
 */

import type { FailureOwner, TransportFailure } from "../../failure/failure.ts";

/** A request that could not be forwarded. */
export class ForwardFailure extends Error {
  override readonly name = "ForwardFailure";
  /** Status for the client; 499 when the client has left. */
  readonly status: number;
  /** Who caused it. */
  readonly owner: FailureOwner;
  /** Seconds for Retry-After. */
  readonly retryAfterSeconds: number;

  /** @param message What happened, for the log; never for the client. */
  constructor(status: number, message: string, owner: FailureOwner, retryAfterSeconds = 1) {
    super(message);
    this.status = status;
    this.owner = owner;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The status for the client after `failure`. */
export function statusOf(failure: TransportFailure): number {
  switch (failure.kind) {
    case "read_timeout":
    case "write_timeout":
      return 504;
    case "client_left":
      return 499;
    case "client_timeout":
      return 408;
    case "body_too_large":
      return 413;
    case "dropped":
    case "shortage":
    case "dial_queue":
      return 503;
    default:
      return 502;
  }
}
