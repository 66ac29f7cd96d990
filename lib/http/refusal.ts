/**
 * The rejection of a request before its site is known.
 *
 * @module
 */

/** The rejection of a request. */
export class Refusal {
  /** Status code for the client. */
  readonly status: number;
  /** The cause, for the log. */
  readonly cause: string;

  constructor(status: number, cause: string) {
    this.status = status;
    this.cause = cause;
  }
}
