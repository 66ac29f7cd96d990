/**
 * What counts against an upstream. A client that leaves never does, nor does a kept connection that the upstream closed
 * while it idled.
 *
 * @module
 */

import type { TransportFailure } from "../../failure/failure.ts";
import type { StatusRange } from "../../http/status_range.ts";

/** Kinds of failure, as health and breaker see them; the index stands in shared fields. */
export const FAILURE_CLASSES = ["unreachable", "broken", "timeout", "status", "slow"] as const;

/**
 * A failure: it could not be dialled, broke off or talked nonsense, was silent for too long, answered with a status that
 * counts as a failure, or took too long.
 */
export type FailureClass = typeof FAILURE_CLASSES[number];

/**
 * How a failed attempt counts.
 *
 * @param reused Whether its connection had served before.
 * @returns Undefined when it is no fault of the upstream's.
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
      return undefined;
    case "closed_unanswered":
      return reused ? undefined : "broken";
    default:
      return "broken";
  }
}

/**
 * The 5xx statuses that are failures of the upstream. Not among them are those that the request alone causes: 501 (Not
 * Implemented: an unknown method), 505 (HTTP Version Not Supported), 508 (Loop Detected) and 510 (Not Extended). If they
 * counted, any client could make a healthy upstream unavailable.
 */
export const FAILURE_STATUSES: readonly StatusRange[] = [
  [500, 500],
  [502, 504],
  [506, 507],
  [509, 509],
  [511, 599],
];
