/**
 * An exchange that failed, as plain data for whoever shows it. It imports nothing: the dashboard's scripts are checked
 * against it, without the types of the runtime.
 *
 * @module
 */

/** An exchange that failed; survives structured cloning. */
export interface FailureReport {
  /** When it ended, in milliseconds since 1970. */
  readonly atMs: number;
  /** Name of the exchange in all logs. */
  readonly requestId: string;
  /** Name of the site; empty when it belonged to none. */
  readonly site: string;
  /** `path` of the route, or empty where none took it. */
  readonly route: string;
  /** Method as sent. */
  readonly method: string;
  /** Path as sent, without its query. */
  readonly path: string;
  /** What the client got. */
  readonly status: number;
  /** Whose fault it was. */
  readonly owner: "client" | "upstream" | "proxy";
  /** Why, in words, as in the log. */
  readonly cause: string;
  /** The `url` of the upstream that `cause` tells of; null when there was none. */
  readonly upstream: string | null;
  /** Whether another attempt went well, so that the client saw nothing of it. */
  readonly saved: boolean;
  /** How many exchanges failed in that way since the last report of it. */
  readonly count: number;
}

/** Tells failures of one kind from others: they differ in nothing but their time, their path and their request id. */
export function failureKind(
  { site, route, method, status, owner, cause, upstream, saved }: Omit<FailureReport, "atMs" | "path" | "requestId">,
): string {
  return JSON.stringify([site, route, method, status, owner, cause, upstream, saved]);
}
