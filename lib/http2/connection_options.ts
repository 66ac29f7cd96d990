/**
 * The contract between a connection of HTTP/2 and its owner.
 *
 * @module
 */

import type { CoarseClock } from "../state/coarse_clock.ts";
import type { Http2Error } from "./error_code.ts";
import type { FieldBlock, FieldLimits } from "./field_block.ts";
import type { Http2Stream } from "./stream.ts";

/** The owner of a connection. */
export interface ConnectionHost {
  /**
   * A server's: the head of a request has opened `stream`, whose handler must be set before this returns. Any fault of
   * the block is for the owner to respond to.
   *
   * @param block Valid until this returns.
   * @param ended Whether the request has no body.
   */
  accept(stream: Http2Stream, block: FieldBlock, ended: boolean): void;
  /** A stream has closed, in whatever way. */
  streamClosed(stream: Http2Stream): void;
  /** The peer's settings have changed. */
  settingsChanged(): void;
  /** The peer opens no streams any more, and acts on none of this side's above `lastStreamId`. */
  goAway(lastStreamId: number, code: number): void;
  /** A server's: the client knows that the connection ends. It is to be closed once no stream is open. */
  shutdownFinished?(): void;
  /** The reply to {@linkcode Http2Connection.ping} has arrived. */
  pong(): void;
  /** The connection failed: GOAWAY was written, all streams were reset. It is to be closed behind what was written. */
  failed(error: Http2Error): void;
}

/** How a connection behaves. */
export interface Http2Options {
  readonly role: "client" | "server";
  /** For budgets. */
  readonly clock: CoarseClock;
  /** Limits of received fields. */
  readonly fieldLimits: FieldLimits;
  /**
   * Streams that the peer may have open at once, where this side is the server.
   *
   * @default {100}
   */
  readonly maxStreams?: number;
  /**
   * Window of a new stream for what is received, in bytes; at least 65535.
   *
   * @default {65536}
   */
  readonly streamWindow?: number;
  /**
   * Largest window of a stream, to which it grows.
   *
   * @default {1 MiB}
   */
  readonly maxStreamWindow?: number;
  /**
   * Window of the connection, in bytes.
   *
   * @default {1 MiB}
   */
  readonly window?: number;
  /**
   * Largest window of the connection, which is also the most that it holds for owners of streams that do not use it.
   *
   * @default {4 MiB}
   */
  readonly maxWindow?: number;
}

/** The defaults. */
export const HTTP2_DEFAULTS = {
  maxStreams: 100,
  streamWindow: 64 * 1024,
  maxStreamWindow: 1024 * 1024,
  window: 1024 * 1024,
  maxWindow: 4 * 1024 * 1024,
} as const;
