/**
 * The table `[management]`.
 *
 * @module
 */

import type { z } from "zod";
import { fieldValue, flag, integer, judged, list, table } from "../config/fields.ts";
import { isHostName, normalHost } from "../config/host_pattern.ts";
import { isIpAddress } from "../http/ip_address.ts";

const HOST_NAME = 'a host name such as "bws.internal", without a port';
const LISTEN_HOST = 'an IP address without brackets, or a host name such as "localhost"';

/** Default address of the management API. */
export const MANAGEMENT_DEFAULTS = { host: "127.0.0.1", port: 7654 } as const;

/** Shortest key that is accepted without a warning. */
export const MIN_KEY_LENGTH = 16;

/** `[management]`: the API for operators. */
export const managementSchema = table({
  enabled: flag().default(false).describe("Whether the management API listens."),
  metrics: flag().default(true).describe("Whether metrics are kept; without them a request costs a little less."),
  host: judged((value) => isIpAddress(value) || isHostName(value) ? undefined : { expected: LISTEN_HOST }, LISTEN_HOST)
    .transform(normalHost)
    .default(MANAGEMENT_DEFAULTS.host)
    .describe("Address to listen on; anything but loopback needs an api_key."),
  port: integer(0, 65535).default(MANAGEMENT_DEFAULTS.port).describe("Port to listen on; 0 is any free one."),
  hosts: list(
    judged((value) => isHostName(value) ? undefined : { expected: HOST_NAME }, HOST_NAME).transform(normalHost),
  ).optional()
    .describe("Host names under which callers know the management API, besides localhost, IP addresses and host."),
  api_key: fieldValue().min(1, { error: "a key that is not empty" }).optional()
    .describe(`Key that callers of the management API must send, of at least ${MIN_KEY_LENGTH} characters.`),
});

/** `[management]`, after defaults. */
export type ManagementConfig = z.output<typeof managementSchema>;
