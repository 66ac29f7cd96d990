/**
 * What a client may ask of a listener: how large, how slow, how many.
 *
 * @module
 */

/** Bounds of one listener. Times are silence unless they say otherwise, in milliseconds; 0 is no bound. */
export interface ListenerLimits {
  /**
   * Longest time from the first byte of a head to its last, and from a connection's opening to its first byte. Bytes
   * that trickle in do not prolong it: that is how Slowloris holds connections.
   *
   * @default {10_000}
   */
  readonly headerTimeoutMs: number;
  /**
   * Longest silence while a body is awaited.
   *
   * @default {30_000}
   */
  readonly bodyTimeoutMs: number;
  /**
   * Bytes a second below which a body is given up once `bodyTimeoutMs` of waiting is used up; 0 for no such bound. Only
   * time that is spent waiting for the client counts.
   *
   * @default {240}
   */
  readonly bodyBytesPerSecond: number;
  /**
   * Longest rest between two requests.
   *
   * @default {60_000}
   */
  readonly idleTimeoutMs: number;
  /**
   * Longest time that the client takes no byte of a response.
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
   * Most header lines.
   *
   * @default {128}
   */
  readonly maxHeaderLines: number;
  /**
   * Connections that are open at once.
   *
   * @default {Infinity}
   */
  readonly maxConnections: number;
  /**
   * Connections that one address has open at once.
   *
   * @default {Infinity}
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * What is read, and thrown away, of a body that nobody wanted, so that its connection can be used again, in bytes.
   *
   * @default {65_536}
   */
  readonly maxDiscardedBytes: number;
}

/** Bounds that hold where nothing else is said. */
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
