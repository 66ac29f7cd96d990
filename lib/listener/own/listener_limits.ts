/**
 * The limits of a listener for its clients: sizes, times and numbers.
 *
 * @module
 */

/** Limits of one listener. Times are idle times unless stated otherwise, in milliseconds; 0 means no limit. */
export interface ListenerLimits {
  /**
   * Longest time from the first byte of a head to its last, and from the opening of a connection to its first byte.
   * Further bytes do not prolong it: the Slowloris attack holds connections in that way.
   *
   * @default {10_000}
   */
  readonly headerTimeoutMs: number;
  /**
   * Longest idle time while a body is received.
   *
   * @default {30_000}
   */
  readonly bodyTimeoutMs: number;
  /**
   * Minimum rate of a body in bytes a second, enforced once `bodyTimeoutMs` of waiting is used up; 0 means no such
   * limit. Only the time spent waiting for the client counts.
   *
   * @default {240}
   */
  readonly bodyBytesPerSecond: number;
  /**
   * Longest idle time between two requests.
   *
   * @default {60_000}
   */
  readonly idleTimeoutMs: number;
  /**
   * Longest time in which the client accepts no byte of a response.
   *
   * @default {60_000}
   */
  readonly writeTimeoutMs: number;
  /**
   * Largest head, in bytes, with its first line.
   *
   * @default {32_768}
   */
  readonly maxHeadBytes: number;
  /**
   * Largest target, in bytes.
   *
   * @default {16_384}
   */
  readonly maxTargetBytes: number;
  /**
   * Maximum number of header lines.
   *
   * @default {128}
   */
  readonly maxHeaderLines: number;
  /**
   * Maximum number of open connections.
   *
   * @default {Infinity}
   */
  readonly maxConnections: number;
  /**
   * Maximum number of open connections of one address.
   *
   * @default {Infinity}
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * Bytes of an unread body that are discarded so that its connection can be used again.
   *
   * @default {65_536}
   */
  readonly maxDiscardedBytes: number;
}

/** Default limits. */
export const LISTENER_LIMITS = {
  headerTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  bodyBytesPerSecond: 240,
  idleTimeoutMs: 60_000,
  writeTimeoutMs: 60_000,
  maxHeadBytes: 32 * 1024,
  maxTargetBytes: 16 * 1024,
  maxHeaderLines: 128,
  maxConnections: Infinity,
  maxConnectionsPerAddress: Infinity,
  maxDiscardedBytes: 64 * 1024,
} satisfies ListenerLimits;
