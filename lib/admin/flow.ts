/**
 * What passed between two snapshots of counters: rates and quantiles.
 *
 * @module
 */

import type { RouteCounts, UpstreamCounts } from "../generation/metrics/metrics_snapshot.ts";
import { DURATION_BOUNDS } from "../metrics/metric.ts";
import { countsSince, quantile } from "../metrics/quantile.ts";
import type { Flow } from "./snapshot.ts";

/** Counters of one thing (a route, an upstream, all together) at one moment. */
export interface FlowCounts {
  /** Exchanges that ended, or attempts. */
  readonly requests: number;
  /** Those that failed. */
  readonly errors: number;
  /** How long they took, by {@linkcode DURATION_BOUNDS}. */
  readonly durations: readonly number[];
}

/** Nothing. */
export const NO_COUNTS: FlowCounts = { requests: 0, errors: 0, durations: [] };

/** The counters of a route. What got no status got no response. */
export function flowOfRoute({ statuses, durations }: RouteCounts): FlowCounts {
  return {
    requests: sumOf(statuses),
    errors: statuses.other + statuses["5xx"],
    durations: durations.counts,
  };
}

/** The counters of an upstream: its attempts, and those that ended with 5xx or without a response. */
export function flowOfUpstream({ attempts, statuses, failures, headSeconds }: UpstreamCounts): FlowCounts {
  const unanswered = failures.unreachable + failures.broken + failures.timeout;
  return { requests: attempts, errors: statuses["5xx"] + unanswered, durations: headSeconds.counts };
}

/** The sum of counts by label, such as those of all classes of status. */
export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Several together. */
export function sumCounts(all: readonly FlowCounts[]): FlowCounts {
  let requests = 0;
  let errors = 0;
  const durations: number[] = new Array(DURATION_BOUNDS.length + 1).fill(0);
  for (const counts of all) {
    requests += counts.requests;
    errors += counts.errors;
    for (let index = 0; index < counts.durations.length; index++) durations[index] += counts.durations[index];
  }
  return { requests, errors, durations };
}

/** What passed in `seconds` between two counts; nothing when there is no earlier one to compare with. */
export function passed(
  now: FlowCounts,
  before: FlowCounts | undefined,
  { seconds, inFlight }: { seconds: number; inFlight: number },
): Flow {
  if (before === undefined || seconds <= 0) return { ...STILL, inFlight };
  const durations = countsSince(now.durations, before.durations);
  const count = durations.reduce((sum, some) => sum + some, 0);
  const ms = (q: number) => {
    // That of an observation, not between two: one that is alone is in one place, whichever quantile is asked for.
    const place = (Math.max(1, Math.ceil(q * count)) - 0.5) / count;
    const found = quantile(DURATION_BOUNDS, durations, place);
    return found === undefined ? null : Math.round(found * 1e5) / 100;
  };
  return {
    requestRate: rate(now.requests, before.requests, seconds),
    errorRate: rate(now.errors, before.errors, seconds),
    inFlight,
    ...{ p50Ms: ms(0.5), p95Ms: ms(0.95), p99Ms: ms(0.99) },
  };
}

/** How much a second a counter grew. One that went down began anew. */
export function rate(now: number, before: number, seconds: number): number {
  return seconds <= 0 ? 0 : Math.round(Math.max(0, now >= before ? now - before : now) / seconds * 100) / 100;
}

const STILL: Flow = { requestRate: 0, errorRate: 0, inFlight: 0, p50Ms: null, p95Ms: null, p99Ms: null };
