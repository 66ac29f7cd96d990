/**
 * The reasons for which connections of clients are closed, for metrics.
 *
 * @module
 */

/** Why a connection was closed. */
export const CLOSE_CAUSES = [
  /** The client closed it, or it broke. */
  "client",
  /** After its last response: the client, HTTP/1.0 or `max_requests` asked for that. */
  "served",
  /** `idle_timeout`. */
  "idle_timeout",
  /** `header_timeout`. */
  "header_timeout",
  /** `body_timeout` or `min_rate`. */
  "body_timeout",
  /** `write_timeout`. */
  "write_timeout",
  /** After a request that was refused. */
  "refused",
  /** The client broke the protocol of HTTP/2. */
  "protocol_error",
  /** The client sent more of what HTTP/2 allows than it may (ENHANCE_YOUR_CALM). */
  "flood",
  /** Its response broke off. */
  "broken_response",
  /** Its TLS handshake failed. */
  "handshake",
  /** It was above a limit of connections. */
  "limit",
  /** It was idle, and its place or its file handle was needed. */
  "evicted",
  /** The listener was shut down. */
  "shutdown",
  /** It became a tunnel, such as a WebSocket, and that has closed. */
  "tunnel",
] as const;

/** Why a connection was closed. */
export type CloseCause = typeof CLOSE_CAUSES[number];
