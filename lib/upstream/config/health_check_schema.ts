/**
 * The table `[sites.proxy.health_check]`.
 *
 * @module
 */

import type { z } from "zod";
import { BodyPattern } from "../health/body_pattern.ts";
import {
  choice,
  duration,
  durationMs,
  type Fault,
  flag,
  integer,
  judged,
  method,
  slashPath,
  table,
  text,
} from "../../config/fields.ts";
import { headerTable } from "../../config/header_fields.ts";
import { statusRanges } from "./status_range.ts";

/** Default time between two probes. */
export const DEFAULT_INTERVAL = "10s";
const PATTERN = "a regular expression that is not empty";

/** How upstreams are probed. */
export const healthCheckKeys = {
  enabled: flag().default(true).describe("Whether upstreams are probed."),
  kind: choice(["http", "tcp", "grpc"]).default("http").describe(
    "Send a request, only open a connection, or ask by the gRPC health protocol, for which HTTP/2 is spoken.",
  ),
  service: text("the name of a gRPC service").optional().describe(
    'Service to ask for with kind = "grpc"; the server as a whole without it.',
  ),
  path: slashPath().default("/").describe("Path to request."),
  method: method().prefault("GET").describe("Method of the request."),
  headers: headerTable().prefault({}).describe("Header fields of the request."),
  expect_status: statusRanges().optional()
    .describe('Statuses of a healthy upstream, such as 200, "2xx" or ["200-299", 404]; 200 to 399 without it.'),
  expect_body: judged(patternFault, PATTERN).optional().describe(
    "Regular expression, without back references and looking ahead or behind, that the first 16 KiB of a healthy response's " +
      "body match; plain text is found as it is, in the first 64 KiB.",
  ),
  port: integer(1, 65535).optional().describe("Port to probe, where it is not the URL's."),
  interval: duration().optional().describe(
    `Time between two probes of an upstream; ${DEFAULT_INTERVAL} without it.`,
  ),
  interval_seconds: duration().optional().describe("The same as interval."),
  timeout: duration().prefault("2s").describe("Longest time for one probe."),
  healthy_after: integer(1, 1000).default(2).describe("Good probes in a row after which an upstream is healthy."),
  initial: choice(["healthy", "unhealthy"]).default("healthy").describe(
    "State of an upstream before its first probe.",
  ),
  unhealthy_after: integer(1, 1000).default(3).describe("Bad probes in a row after which an upstream is not healthy."),
};

/** `[sites.proxy.health_check]`. `interval_seconds` and `interval` are the same setting; the result is `interval`. */
export const healthCheckSchema = table(healthCheckKeys).transform(({ interval_seconds, interval, ...rest }) => ({
  ...rest,
  interval: interval ?? interval_seconds ?? durationMs(DEFAULT_INTERVAL) as number,
}));

/** A health check, after defaults. */
export type HealthCheckConfig = z.output<typeof healthCheckSchema>;

function patternFault(source: string): Fault | undefined {
  try {
    return source !== "" && new BodyPattern(source) ? undefined : { expected: PATTERN };
  } catch (error) {
    return { message: `cannot be used: ${(error as Error).message}`, expected: PATTERN };
  }
}
