/**
 * The table `[sites.proxy.connections]`.
 *
 * @module
 */

import type { z } from "zod";
import { duration, integer, table } from "../../config/fields.ts";

/** How connections to upstreams are kept and limited. */
export const connectionsSchema = table({
  max_idle: integer(0, 1_000_000).default(256).describe(
    "Maximum number of idle connections that are kept for an upstream.",
  ),
  idle_timeout: duration().prefault("4s").describe("How long an idle connection is kept."),
  max_streams: integer(1, 1_000_000).default(100).describe(
    "Maximum number of exchanges on one HTTP/2 connection, if the upstream does not allow fewer; further exchanges get another " +
      "connection.",
  ),
  ping_interval: duration().prefault("5m").describe(
    "Silence of an HTTP/2 connection with exchanges after which a PING is sent; without a reply within 10 s it is closed. 0 " +
      "sends none.",
  ),
  max_connections: integer(0, 1_000_000).default(0).describe(
    "Maximum number of exchanges in flight at an upstream; 0 is no limit.",
  ),
  queue_size: integer(0, 1_000_000).default(1024).describe(
    "Maximum number of queued requests while all upstreams are full.",
  ),
  queue_timeout: duration().prefault("5s").describe("Maximum time of a request in the queue."),
});

/** How connections are kept and limited, after defaults. */
export type ConnectionsConfig = z.output<typeof connectionsSchema>;
