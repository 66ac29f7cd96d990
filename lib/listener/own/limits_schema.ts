/**
 * The table `[server.limits]`: the limits of listeners for their clients.
 *
 * @module
 */

import { z } from "zod";
import { duration, integer, size, table } from "../../config/fields.ts";

const COUNT = "a whole number, 0 or more";

const time = () => duration({ zero: true });
const count = () => z.int({ error: COUNT }).min(0, { error: COUNT });

/** Limits for clients. Times are in milliseconds, sizes in bytes; a time or a number of 0 is no limit. */
export const limitsSchema = table({
  header_timeout: time().prefault("10s").describe(
    "Longest time from the first byte of a request's head to its last, however slowly it arrives, and from the opening " +
      "of a connection to its first byte; 408. 0 is no limit.",
  ),
  body_timeout: time().prefault("60s").describe(
    "Longest silence of a client while its body is awaited; 408. 0 is no limit.",
  ),
  min_rate: count().default(500).describe(
    "Lowest average rate of a request's body in bytes a second, after 20 s in which the client was waited for, or after " +
      "body_timeout if that is shorter; 408. Also of a response, over write_timeout. 0 is none.",
  ),
  idle_timeout: time().prefault("75s").describe(
    "Longest time between two requests of a connection; 0 is no limit.",
  ),
  write_timeout: time().prefault("60s").describe(
    "Longest time in which a client takes no byte of a response, and time over which min_rate applies to it; 0 is no limit.",
  ),
  max_header_size: size().prefault("32KiB").describe(
    "Largest head of a request with its first line; 431, or 414 where the first line takes more than half of it.",
  ),
  max_header_lines: integer(1, 10_000).default(128).describe("Most header lines of a request; 431."),
  max_connections: count().default(0).describe(
    "Most open connections of a listener in each worker; the longest idle one is closed for a new one. 0 is no limit.",
  ),
  max_connections_per_address: count().default(0).describe(
    "Most open connections from one address to a listener in each worker, except for trusted proxies; 0 is no limit.",
  ),
  max_requests: count().default(0).describe("Most requests of one connection; 0 is no limit."),
  max_concurrent_streams: integer(1, 10_000).default(100).describe(
    "Most requests of a connection of HTTP/2 that are under way at once.",
  ),
  handshake_timeout: time().prefault("10s").describe(
    "Longest time of a TLS handshake, from the opening of its connection; 0 is no limit.",
  ),
  max_handshakes: count().default(1000).describe(
    "Most TLS handshakes of a listener that are under way in each worker; the oldest one is ended for a new one. 0 is no limit.",
  ),
  max_handshake_rate: count().default(0).describe(
    "Most new TLS connections from one address in a second to a listener in each worker, except for trusted proxies; " +
      "further ones are closed. 0 is no limit.",
  ),
});

/** `[server.limits]`, after defaults. */
export type ListenerLimits = z.output<typeof limitsSchema>;

/** The defaults. */
export const LISTENER_LIMITS: ListenerLimits = limitsSchema.parse({});

/** Bytes of an unread body that are read past, so that its connection can be used again. */
export const MAX_DISCARDED_BYTES = 64 * 1024;
