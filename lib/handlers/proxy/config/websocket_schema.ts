/**
 * The table `[sites.proxy.websocket]`.
 *
 * @module
 */

import type { z } from "zod";
import { duration, size, table } from "../../../config/fields.ts";

// Without pings, a side that sends nothing cannot be distinguished from a dead one.
const QUIET_MS = 300_000;

/** Pings, timeouts and limits of WebSockets, on routes with `websocket = true`. */
export const websocketSchema = table({
  ping_interval: duration({ zero: true }).prefault("30s").describe(
    "Silence of a side after which it is pinged; 0 for no pings.",
  ),
  idle_timeout: duration({ zero: true }).optional().describe(
    "Longest time in which a side sends nothing, or reads nothing; 0 is no limit; without it, twice ping_interval.",
  ),
  max_buffered: size().prefault("4MiB").describe(
    "Bytes that may be queued for one side before the other is slowed down. With BWS's own listener at most 256 KiB, and the " +
      "less the more all WebSockets of a worker have queued (64 MiB).",
  ),
  max_message: size().prefault("64MiB").describe("Largest message; a larger one closes the WebSocket."),
  drain: duration({ zero: true }).prefault("5s").describe("How long WebSockets stay open when the server stops."),
}).superRefine(({ ping_interval, idle_timeout }, context) => {
  if (ping_interval === 0 || !idle_timeout || idle_timeout > ping_interval) return;
  context.addIssue({
    code: "custom",
    path: ["idle_timeout"],
    message: "more than ping_interval, or 0 for either",
    params: { found: "is not more than ping_interval, so that quiet sides would be closed before they are asked" },
  });
}).transform((given) => ({
  ...given,
  idle_timeout: given.idle_timeout ?? (given.ping_interval === 0 ? QUIET_MS : 2 * given.ping_interval),
}));

/** How WebSockets are kept and limited, after defaults. */
export type WebSocketConfig = z.output<typeof websocketSchema>;
