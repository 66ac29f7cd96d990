/**
 * Rates and quantiles of the period between two snapshots of counters.
 *
 * @module
 */

import type { RouteCounts, UpstreamCounts } from "../generation/metrics/metrics_snapshot.ts";
import { DURATION_BOUNDS } from "../metrics/metric.ts";
import { countsSince, quantile } from "../metrics/quantile.ts";
import type { Flow } from "./snapshot.ts";

/** Counters of a route, an upstream or the whole server, at one moment. */
export interface FlowCounts {
  /** Exchanges that ended, or attempts. */
  readonly requests: number;
  /** Exchanges or attempts that failed. */
  readonly errors: number;
  /** Histogram of durations, by {@linkcode DURATION_BOUNDS}. */
  readonly durations: readonly number[];
}

/** All counters at 0. */
export const NO_COUNTS: FlowCounts = { requests: 0, errors: 0, durations: [] };

/** The counters of a route. Exchanges without a status got no response. */
export function flowOfRoute({ statuses, durations }: RouteCounts): FlowCounts {
  return {
    requests: sumOf(statuses),
    errors: statuses.other + statuses["5xx"],
    durations: durations.counts,
  };
}

/** The counters of an upstream: its attempts, and those that ended with 5xx or without a response. */
export function flowOfUpstream({ attempts, statuses, failures, headSeconds }: UpstreamCounts): FlowCounts {
  const noResponse = failures.unreachable + failures.broken + failures.timeout;
  return { requests: attempts, errors: statuses["5xx"] + noResponse, durations: headSeconds.counts };
}

/** The sum of counts by label, such as those of all classes of status. */
export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The sum of several counters. */
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

/** The flow in the `seconds` between two counts; zero if there is no earlier count. */
export function passed(
  now: FlowCounts,
  before: FlowCounts | undefined,
  { seconds, inFlight }: { seconds: number; inFlight: number },
): Flow {
  if (before === undefined || seconds <= 0) return { ...STILL, inFlight };
  const durations = countsSince(now.durations, before.durations);
  const count = durations.reduce((sum, some) => sum + some, 0);
  const ms = (q: number) => {
    // The rank of an observation, without interpolation between two: all quantiles of a single observation are equal.
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

/** Growth of a counter per second. A counter that is lower than before was reset to 0. */
export function rate(now: number, before: number, seconds: number): number {
  return seconds <= 0 ? 0 : Math.round(Math.max(0, now >= before ? now - before : now) / seconds * 100) / 100;
}

const STILL: Flow = { requestRate: 0, errorRate: 0, inFlight: 0, p50Ms: null, p95Ms: null, p99Ms: null };
