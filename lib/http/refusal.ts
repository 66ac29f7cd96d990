/**
 * A request that is refused before it belongs to a site.
 *
 * @module
 */

/** Why a request is refused. */
export class Refusal {
  /** Status for the client. */
  readonly status: number;
  /** Why, for the log. */
  readonly cause: string;

  /** @param cause Why, for the log. */
  constructor(status: number, cause: string) {
    this.status = status;
    this.cause = cause;
  }
}
