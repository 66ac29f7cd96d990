/**
 * The tables `[sites.proxy.passive_health]` and `[sites.proxy.circuit_breaker]`: how upstreams that fail are made
 * unavailable.
 *
 * @module
 */

import { z } from "zod";
import { duration, flag, integer, table } from "../../config/fields.ts";
import { failureStatuses } from "./status_range.ts";

const RATIO = "a share above 0, up to 1";

const ratio = () => z.number({ error: RATIO }).gt(0, { error: RATIO }).max(1, { error: RATIO });

/** Ejection of upstreams because of failures in live traffic. */
export const passiveHealthSchema = table({
  enabled: flag().default(true).describe("Whether failures in live traffic eject an upstream for a while."),
  max_fails: integer(1, 1000).default(5).describe("Failures in a row that eject."),
  fail_window: duration().prefault("30s").describe("Failures further apart than this are not in a row."),
  eject_for: duration().prefault("10s").describe("How long the first ejection lasts; each next one twice as long."),
  max_eject_for: duration().prefault("5m").describe("Longest ejection."),
  max_ejected_percent: integer(0, 100).default(50).describe(
    "Share of a pool that may be ejected for its responses; an upstream that cannot be reached is always ejected.",
  ),
  slow_after: duration().optional().describe("A response whose head takes longer is a failure."),
  fail_status: failureStatuses().prefault("5xx").describe(
    'Statuses that are failures, such as [502, 503, 504]; "5xx" is without 501, 505, 508 and 510, which a request causes.',
  ),
});

/** When upstreams are ejected, after defaults. */
export type PassiveHealthConfig = z.output<typeof passiveHealthSchema>;

/** The breaker of each upstream. */
export const circuitBreakerSchema = table({
  enabled: flag().default(true).describe("Whether upstreams have a breaker."),
  failure_ratio: ratio().default(0.5).describe("Share of failed requests that opens it."),
  min_requests: integer(1, 1_000_000).default(20).describe("Requests that the window must hold before it may open."),
  window: duration().prefault("10s").describe("Length of the window in which requests are counted."),
  open_for: duration().prefault("10s").describe("How long it stays open before it lets trial requests through."),
  trial_requests: integer(1, 1000).default(3).describe(
    "Trial requests at a time while half open; as many good ones close it.",
  ),
  slow_after: duration().optional().describe("A response whose head takes longer is slow."),
  slow_ratio: ratio().default(0.5).describe("Share of slow requests that opens it."),
  max_in_flight: integer(0, 1_000_000).default(0).describe(
    "Maximum number of exchanges in flight at an upstream, like connections.max_connections; the smaller one applies. 0 is no limit.",
  ),
});

/** When breakers open, after defaults. */
export type CircuitBreakerConfig = z.output<typeof circuitBreakerSchema>;
