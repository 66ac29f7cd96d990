/**
 * The tables `[server]`, `[logging]` and `[management]`.
 *
 * @module
 */

import { z } from "zod";
import { choice, duration, fieldValue, flag, integer, judged, list, size, table, text } from "./fields.ts";
import { isHostName, normalHost } from "./host_pattern.ts";
import { isIpAddress, parseNetwork } from "../http/ip_address.ts";

const NETWORK = 'an IP address or a network such as "10.0.0.0/8"';
const NAME_SERVER = 'the IP address of a name server, with or without a port, such as "10.0.0.2" or "[fd00::2]:53"';
const WORKERS = 'a whole number from 1 to 256, or "auto"';
const HOST_NAME = 'a host name such as "bws.internal", without a port';
const LISTEN_HOST = 'an IP address without brackets, or a host name such as "localhost"';

/** `[server]`: what holds for the whole process. */
export const serverSchema = table("server", {
  name: text().default("bws").describe(
    'Name of this server; in the Via header field, characters that a token may not hold become "-".',
  ),
  trusted_proxies: list(
    judged((value) => parseNetwork(value) !== undefined ? undefined : { expected: NETWORK }, NETWORK),
  )
    .prefault([])
    .describe("Addresses and networks whose X-Forwarded-* and Forwarded header fields are believed."),
  name_servers: list(judged((value) => isNameServer(value) ? undefined : { expected: NAME_SERVER }, NAME_SERVER))
    .prefault([])
    .describe("Name servers for the names of upstreams; without them, the system's."),
  workers: z.union([integer(1, 256, WORKERS), z.literal("auto")], { error: WORKERS })
    .default(1)
    .describe('How many workers share the ports; "auto" is one for each processor.'),
  max_body_size: size().optional().describe("Largest request body; without it there is no limit."),
  stream_close_delay: duration({ zero: true }).prefault("5s").describe(
    "How long a WebSocket goes on after its route was changed or taken away.",
  ),
  reuse_port: flag().default(false).describe(
    "Let another process listen on the same ports, so that a new one can start before the old one ends; Linux only.",
  ),
  shutdown_delay: duration({ zero: true }).prefault(0).describe(
    "How long the server goes on, with its readiness turned off, before it stops.",
  ),
  shutdown_timeout: duration().prefault("30s").describe("How long exchanges may take to end when the server stops."),
});

function isNameServer(value: string): boolean {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(value);
  const plain = /^([\d.]+)(?::(\d{1,5}))?$/.exec(value);
  const [, address = value, port = "53"] = bracketed ?? plain ?? [];
  return isIpAddress(address) && Number(port) >= 1 && Number(port) <= 65535;
}

/** `[logging]`: what is written where. */
export const loggingSchema = table("logging", {
  level: choice(["debug", "info", "warn", "error"]).default("info").describe("The least severe messages to write."),
  format: choice(["json", "combined"]).default("json").describe("Form of a line: JSON, or the combined log format."),
  output: text('"stdout", "stderr" or the path of a file').default("stdout")
    .describe('"stdout", "stderr" or the path of a file.'),
  access: flag().default(true).describe("Whether each exchange writes a line."),
});

/** `[management]`: the API for operators. */
export const managementSchema = table("management", {
  enabled: flag().default(false).describe("Whether the management API listens."),
  metrics: flag().default(true).describe("Whether metrics are kept; without them it costs a little less to serve."),
  host: judged((value) => isIpAddress(value) || isHostName(value) ? undefined : { expected: LISTEN_HOST }, LISTEN_HOST)
    .transform(normalHost)
    .default("127.0.0.1")
    .describe("Address to listen on; anything but loopback needs an api_key."),
  port: integer(0, 65535).default(7654).describe("Port to listen on; 0 is any free one."),
  hosts: list(
    judged((value) => isHostName(value) ? undefined : { expected: HOST_NAME }, HOST_NAME).transform(normalHost),
  ).optional()
    .describe("Host names under which callers know the management API, besides localhost, IP addresses and host."),
  api_key: fieldValue().min(1, { error: "a key that is not empty" }).optional()
    .describe("Key that callers of the management API must send, of at least 16 characters."),
});
