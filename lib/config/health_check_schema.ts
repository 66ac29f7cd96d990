/**
 * The table `[sites.proxy.health_check]`.
 *
 * @module
 */

import { z } from "zod";
import { choice, duration, flag, integer, list, matching, method, slashPath, table } from "./fields.ts";
import { headerTable } from "./header_fields.ts";

const STATUS = /^(?:[1-5]xx|[1-5]\d\d(?:-[1-5]\d\d)?)$/;
const STATUS_EXPECTED = 'a status, a range or a class, such as 200, "200-399" or "2xx"';
const DEFAULT_INTERVAL_MS = 10_000;

const statusSchema = z.union([integer(100, 599, STATUS_EXPECTED), matching(STATUS, STATUS_EXPECTED)], {
  error: STATUS_EXPECTED,
});

/** Statuses from the first to the second, both included. */
export type StatusRange = readonly [from: number, to: number];

/** How upstreams are probed. `interval_seconds` and `interval` are twins; they come out as `interval`. */
export const healthCheckSchema = table("sites.proxy.health_check", {
  enabled: flag().default(true).describe("Whether upstreams are probed."),
  kind: choice(["http", "tcp"]).default("http").describe("Send a request, or only open a connection."),
  path: slashPath().default("/").describe("Path to request."),
  method: method().prefault("GET").describe("Method of the request."),
  headers: headerTable("sites.proxy.health_check.headers").prefault({}).describe("Header fields of the request."),
  expect_status: z.union([statusSchema, list(statusSchema)], { error: `${STATUS_EXPECTED}, or a list of them` })
    .transform((given) => (Array.isArray(given) ? given : [given]).map(statusRange))
    .optional()
    .describe('Statuses of a healthy upstream, such as 200, "2xx" or ["200-299", 404].'),
  expect_body: matching(/./s, "text that is not empty").optional().describe("Text that a healthy answer's body holds."),
  port: integer(1, 65535).optional().describe("Port to probe, where it is not the URL's."),
  interval: duration().optional().describe("Time between two probes of an upstream; 10 s without it."),
  interval_seconds: duration().optional().describe("The same as interval."),
  timeout: duration().prefault("2s").describe("Longest time for one probe."),
  healthy_after: integer(1, 1000).default(2).describe("Good probes in a row after which an upstream is healthy."),
  unhealthy_after: integer(1, 1000).default(3).describe("Bad probes in a row after which an upstream is not healthy."),
}).transform(({ interval_seconds, interval, ...rest }) => ({
  ...rest,
  interval: interval ?? interval_seconds ?? DEFAULT_INTERVAL_MS,
}));

/** A health check, after defaults. */
export type HealthCheckConfig = z.output<typeof healthCheckSchema>;

function statusRange(status: number | string): StatusRange {
  if (typeof status === "number") return [status, status];
  if (status.endsWith("xx")) return [Number(status[0]) * 100, Number(status[0]) * 100 + 99];
  const [from, to = from] = status.split("-").map(Number);
  return [from, to];
}
