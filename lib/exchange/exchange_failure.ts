/**
 * Why an exchange gets an error response.
 *
 * @module
 */

import type { FailureOwner } from "../failure/failure.ts";

/** An exchange that failed, with what the client is told. */
export class ExchangeFailure extends Error {
  override readonly name: string = "ExchangeFailure";
  /** Status for the client; 499 when the client has left. */
  readonly status: number;
  /** Who caused it. */
  readonly owner: FailureOwner;
  /** Header lines of the error response, such as Allow: `[name, value, …]`. */
  readonly lines: readonly string[];

  /**
   * @param message What happened, for the log; never for the client.
   * @param owner Who caused it; by default the client up to 499, and the proxy above.
   */
  constructor(
    status: number,
    message: string,
    { owner = status < 500 ? "client" : "proxy", lines = [] }: { owner?: FailureOwner; lines?: readonly string[] } = {},
  ) {
    super(message);
    this.status = status;
    this.owner = owner;
    this.lines = lines;
  }
}
