/**
 * The tables `[server]` and `[logging]`.
 *
 * @module
 */

import { z } from "zod";
import {
  choice,
  duration,
  flag,
  integer,
  judged,
  list,
  matching,
  network,
  size,
  table,
  text,
} from "../config/fields.ts";
import { accessLogSchema, output } from "../features/access_log/access_log_schema.ts";
import { LISTENER_KINDS } from "../listener/listener_kind.ts";
import { limitsSchema } from "../listener/own/limits_schema.ts";
import { SOCKET_DRIVERS } from "../sockets/driver_name.ts";
import { FACILITIES } from "../log/syslog_message.ts";
import { isIpAddress } from "../http/ip_address.ts";

const NAME_SERVER = 'the IP address of a name server, with or without a port, such as "10.0.0.2" or "[fd00::2]:53"';
const APP_NAME = "1 to 48 printable ASCII characters without spaces";
const HOSTNAME = "1 to 255 printable ASCII characters without spaces";
const TEN_YEARS_MS = 3650 * 86_400_000;
const WORKERS = 'a whole number from 1 to 256, or "auto"';

/** `[server]`: settings of the whole process. */
export const serverSchema = table({
  name: text().default("bws").describe(
    'Name of this server; in the Via header field, characters that a token may not hold become "-".',
  ),
  trusted_proxies: list(network())
    .prefault([])
    .describe("Addresses and networks whose X-Forwarded-* and Forwarded header fields are trusted."),
  name_servers: list(judged((value) => isNameServer(value) ? undefined : { expected: NAME_SERVER }, NAME_SERVER))
    .prefault([])
    .describe("Name servers for the names of upstreams; without them, the system's."),
  workers: z.union([integer(1, 256, WORKERS), z.literal("auto")], { error: WORKERS })
    .default(1)
    .describe('How many workers share the ports; "auto" is one for each processor.'),
  middleware: text("the path of a module").optional().describe(
    "Module whose functions see each request before BWS does and its response after; loaded anew with each reload.",
  ),
  max_body_size: size().optional().describe("Largest request body; without it there is no limit."),
  limits: limitsSchema.prefault({}).describe("Limits of BWS's own listener for clients."),
  stream_close_delay: duration({ zero: true }).prefault("5s").describe(
    "How long a WebSocket stays open after its route was changed or removed.",
  ),
  listener: choice(LISTENER_KINDS).optional().describe(
    'What serves the ports: "own", BWS\'s listener, or "runtime", the server of Deno. Without it, "own".',
  ),
  sockets: choice(["auto", ...SOCKET_DRIVERS]).default("auto").describe(
    "How sockets of cleartext are driven: by the runtime, or by Linux itself (epoll, io_uring), which needs " +
      '--allow-ffi; "auto" is the best that works here.',
  ),
  reuse_port: flag().default(false).describe(
    "Let another process listen on the same ports, so that a new one can start before the old one ends; Linux only.",
  ),
  shutdown_delay: duration({ zero: true }).prefault(0).describe(
    "How long the server continues to serve, while it reports that it is not ready, before it stops.",
  ),
  shutdown_timeout: duration().prefault("30s").describe("How long exchanges may take to end when the server stops."),
});

function isNameServer(value: string): boolean {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(value);
  const plain = /^([\d.]+)(?::(\d{1,5}))?$/.exec(value);
  const [, address = value, port = "53"] = bracketed ?? plain ?? [];
  return isIpAddress(address) && Number(port) >= 1 && Number(port) <= 65535;
}

/** `[logging]`: what is logged, and where to. */
export const loggingSchema = table({
  level: choice(["debug", "info", "warn", "error"]).default("info").describe("The least severe messages to write."),
  format: choice(["json", "combined"]).default("json").describe("Form of a line: JSON, or the combined log format."),
  output: output().default("stdout").describe(
    '"stdout", "stderr", the path of a file, "syslog" for the local syslog server, or the URL of another one: ' +
      '"syslog+udp://HOST:PORT", "syslog+tcp://HOST:PORT", "syslog+unix:/PATH".',
  ),
  access: flag().default(true).describe("Whether each exchange writes a line."),
  access_log: accessLogSchema,
  rotate: table({
    size: size().optional().describe("Size from which a file is rotated."),
    every: duration().optional().describe(
      "Length of a period, such as 1h or 1d, in UTC: the first line of a new one begins a new file.",
    ),
    keep: integer(0, 100_000).default(10).describe("How many old files are kept; 0 for all."),
    keep_for: duration({ maxMs: TEN_YEARS_MS }).optional().describe("Age from which old files are deleted."),
    compress: flag().default(true).describe("Whether old files are compressed with gzip."),
  }).optional().describe("Rotation of all log files by BWS: a file is renamed, with the time behind its name."),
  syslog: table({
    facility: choice(FACILITIES).default("local7").describe("Facility of messages."),
    app_name: matching(/^[\x21-\x7e]{1,48}$/, APP_NAME).default("bws").describe("APP-NAME of messages."),
    hostname: matching(/^[\x21-\x7e]{1,255}$/, HOSTNAME).optional().describe(
      "HOSTNAME of messages; without it, the system's.",
    ),
  }).prefault({}).describe("What messages to a syslog server have."),
});

/** `[server]`, after defaults. */
export type ServerConfig = z.output<typeof serverSchema>;

/** `[logging]`, after defaults. */
export type LoggingConfig = z.output<typeof loggingSchema>;
