/**
 * An exchange that failed, as plain data for the dashboard and `bws top`. It imports nothing: the dashboard's scripts
 * are type-checked against it, without the types of the runtime.
 *
 * @module
 */

/** An exchange that failed; survives structured cloning. */
export interface FailureReport {
  /** When it ended, in milliseconds since 1970. */
  readonly atMs: number;
  /** Request id, in all logs. */
  readonly requestId: string;
  /** Name of the site; empty when no site matched. */
  readonly site: string;
  /** `path` of the route, or empty where no route matched. */
  readonly route: string;
  /** Method as sent. */
  readonly method: string;
  /** Path as sent, without its query. */
  readonly path: string;
  /** Status for the client. */
  readonly status: number;
  /** Who caused the failure. */
  readonly owner: "client" | "upstream" | "proxy";
  /** The cause, as in the log. */
  readonly cause: string;
  /** The `url` of the upstream that failed; null when there was none. */
  readonly upstream: string | null;
  /** Whether a retry succeeded, so that the client did not see the failure. */
  readonly saved: boolean;
  /** How many exchanges failed in this way since the last report of this kind. */
  readonly count: number;
}

/** The kind of a failure: reports of one kind differ only in their time, path and request id. */
export function failureKind(
  { site, route, method, status, owner, cause, upstream, saved }: Omit<FailureReport, "atMs" | "path" | "requestId">,
): string {
  return JSON.stringify([site, route, method, status, owner, cause, upstream, saved]);
}
