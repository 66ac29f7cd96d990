/**
 * Which failures count against an upstream. A client abort does not, nor does an idle connection that the upstream
 * closed.
 *
 * @module
 */

import type { TransportFailure } from "../../failure/failure.ts";
import type { StatusRange } from "../../http/status_range.ts";

/** Kinds of failure for passive health and breaker; the index is stored in shared fields. */
export const FAILURE_CLASSES = ["unreachable", "broken", "timeout", "status", "slow"] as const;

/**
 * A failure: no connection, a broken or malformed response, a timeout, a status that counts as a failure, or a response
 * that was too slow.
 */
export type FailureClass = typeof FAILURE_CLASSES[number];

/**
 * How a failed attempt counts.
 *
 * @param reused Whether its connection was used before.
 * @returns undefined when the upstream did not cause it.
 */
export function failureClassOf(failure: TransportFailure, reused: boolean): FailureClass | undefined {
  if (failure.owner !== "upstream") return undefined;
  switch (failure.kind) {
    case "connect":
    case "connect_timeout":
      return "unreachable";
    case "read_timeout":
    case "write_timeout":
      return "timeout";
    case "closed_unused":
    case "refused":
      return undefined;
    case "closed_unanswered":
      return reused ? undefined : "broken";
    default:
      return "broken";
  }
}

/**
 * The 5xx statuses that are failures of the upstream. Not among them are those that the request alone causes: 501 (Not
 * Implemented: an unknown method), 505 (HTTP Version Not Supported), 508 (Loop Detected) and 510 (Not Extended). If
 * they counted, any client could make a healthy upstream unavailable.
 */
export const FAILURE_STATUSES: readonly StatusRange[] = [
  [500, 500],
  [502, 504],
  [506, 507],
  [509, 509],
  [511, 599],
];
