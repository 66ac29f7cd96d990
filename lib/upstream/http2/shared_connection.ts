/**
 * A connection to an upstream that speaks HTTP/2, which many exchanges share.
 *
 * @module
 */

import type { TransportFailure } from "../../failure/failure.ts";
import { Http2Connection } from "../../http2/connection.ts";
import type { ConnectionHost } from "../../http2/connection_options.ts";
import { Http2Error } from "../../http2/error_code.ts";
import type { Http2Stream } from "../../http2/stream.ts";
import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import type { ConnectionsConfig } from "../config/connections_schema.ts";
import type { SilenceLimits } from "../connection/deadlines.ts";
import { type StreamConnection, UpstreamStream } from "./upstream_stream.ts";

/** How connections of HTTP/2 are shared. */
export type SharedLimits = Pick<ConnectionsConfig, "max_streams" | "ping_interval">;

/** Limits of a shared connection. */
export interface SharedConnectionLimits extends SilenceLimits, Pick<ConnectionsConfig, "idle_timeout">, SharedLimits {
  /** Largest head of a response, in bytes. */
  readonly maxHeadBytes: number;
}

/** The owner of a shared connection. */
export interface SharedConnectionOwner {
  /** It has room for an exchange, or less than it had. */
  changed(connection: SharedConnection): void;
  /** It is closed. Called once. */
  retired(connection: SharedConnection): void;
}

/** A connection to one upstream. Owned by its pool. */
export class SharedConnection implements StreamConnection, ConnectionHost, SocketHandler, Watched {
  readonly clock: CoarseClock;
  readonly scheme: "http" | "https";
  /** Why it broke. */
  readError: unknown;
  readonly socket: Socket;
  readonly #owner: SharedConnectionOwner;
  readonly #limits: SharedConnectionLimits;
  readonly #core: Http2Connection;
  /** Streams that are lent, whether or not their exchange has sent its request. */
  readonly #lent = new Set<UpstreamStream>();
  /** Streams whose users are to get the heads of their responses. */
  #heads: UpstreamStream[] = [];
  #exchanges = 0;
  #closed = false;
  /** Whether the socket has ended or failed, or ends once GOAWAY was sent. */
  #ended = false;
  /** Whether the upstream wants no more requests on it. */
  #leaving = false;
  #idleDeadlineMs: number;
  #receivedMs: number;
  readonly #settled = Promise.withResolvers<void>();
  #hasSettings = false;
  /** When a reply to PING is due; 0 while none is awaited. */
  #pongDeadlineMs = 0;

  /** Takes over `socket`, which is paused. */
  constructor(socket: Socket, clock: CoarseClock, limits: SharedConnectionLimits, owner: SharedConnectionOwner) {
    this.socket = socket;
    this.clock = clock;
    this.scheme = socket.tls === undefined ? "http" : "https";
    this.#limits = limits;
    this.#owner = owner;
    this.#idleDeadlineMs = clock.nowMs + limits.idle_timeout;
    this.#receivedMs = clock.nowMs;
    const fieldLimits = { maxBytes: limits.maxHeadBytes, maxLines: MAX_LINES };
    this.#core = new Http2Connection(this, socket, { role: "client", clock, fieldLimits });
    this.#ended = socket.closed;
    socket.handler = this;
    socket.resume();
    this.#core.flush();
    clock.watch(this);
    // Whoever does not wait for it learns of a failure by its exchange.
    this.#settled.promise.catch(() => {});
  }

  /**
   * Resolves once the upstream has sent its settings, which bound the exchanges. Rejects if it does not speak HTTP/2, or the
   * connection is closed before.
   */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether it has no exchange. */
  get idle(): boolean {
    return this.#lent.size === 0;
  }

  /** Whether it takes another exchange. */
  get hasRoom(): boolean {
    const core = this.#core;
    if (!this.#hasSettings || this.#closed || this.#ended || this.#leaving || core.closed || core.peerLeaving) {
      return false;
    }
    const { maxConcurrentStreams } = core.settings;
    return this.#lent.size < Math.min(this.#limits.max_streams, maxConcurrentStreams);
  }

  /** Whether the upstream takes WebSockets (RFC 8441). */
  get takesTunnels(): boolean {
    return this.#core.settings.connectProtocol;
  }

  /** A stream for an exchange. Only while it {@linkcode hasRoom}. */
  lend(): UpstreamStream {
    const stream = new UpstreamStream(this, this.#exchanges++, this.#limits);
    this.#lent.add(stream);
    return stream;
  }

  /** Closes it once it has no exchange any more. */
  leave(): void {
    this.#leaving = true;
    if (this.#lent.size === 0) this.close();
  }

  /** Ends all exchanges with `failure`, and closes it. */
  abort(failure: TransportFailure): void {
    this.#leaving = true;
    for (const stream of [...this.#lent]) stream.abort(failure);
    this.close();
  }

  /** Closes it. The exchanges on it fail. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leaving = true;
    this.clock.unwatch(this);
    // Without GOAWAY: it would tell a server nothing that it needs, and nghttp2 in Deno 2.9.6 aborts its process at one.
    this.#core.lost("The connection was closed");
    this.#settled.reject(this.readError ?? new Error("The connection was closed before SETTINGS arrived"));
    this.socket.close();
    this.#owner.retired(this);
  }

  /** Enforces the deadlines. */
  tick(nowMs: number): void {
    for (const stream of this.#lent) stream.tick(nowMs);
    if (this.#closed) return;
    if (this.#lent.size === 0) {
      if (nowMs > this.#idleDeadlineMs) this.close();
    } else if (this.#pongDeadlineMs !== 0) {
      if (nowMs > this.#pongDeadlineMs) this.#break(new Error(`The upstream did not reply to PING in ${PONG_MS} ms`));
    } else if (this.#limits.ping_interval > 0 && nowMs - this.#receivedMs > this.#limits.ping_interval) {
      this.#pongDeadlineMs = nowMs + PONG_MS;
      this.#core.ping();
    }
  }

  // From the socket.

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.#receivedMs = this.clock.nowMs;
    this.#pongDeadlineMs = 0;
    this.#core.received(bytes, start, end);
    if (this.#heads.length === 0) return;
    const heads = this.#heads;
    this.#heads = [];
    for (const stream of heads) stream.headArrived();
  }

  drained(): void {
    this.#core.drained();
  }

  ended(): void {
    this.#break(undefined);
  }

  /** From the socket: it broke. From the core: the upstream broke the protocol, and GOAWAY was written. */
  failed(error: Error): void {
    if (!(error instanceof Http2Error)) return this.#break(error);
    this.#settled.reject(error);
    this.#ended = this.#leaving = true;
    // The socket is closed behind GOAWAY, at the latest with the next tick.
    this.socket.end();
    if (this.#lent.size === 0) this.#idleDeadlineMs = 0;
  }

  // From streams.

  open(stream: UpstreamStream): Http2Stream | undefined {
    return this.#ended ? undefined : this.#core.open(stream);
  }

  noteHead(stream: UpstreamStream): void {
    this.#heads.push(stream);
  }

  release(stream: UpstreamStream): void {
    if (!this.#lent.delete(stream) || this.#closed) return;
    if (this.#lent.size === 0) {
      if (this.#leaving || this.#ended) return this.close();
      this.#idleDeadlineMs = this.clock.nowMs + this.#limits.idle_timeout;
    }
    this.#owner.changed(this);
  }

  // From the core.

  // A server opens no streams.
  accept(): void {}

  streamClosed(): void {}

  settingsChanged(): void {
    if (this.#hasSettings) return this.#owner.changed(this);
    this.#hasSettings = true;
    this.#settled.resolve();
  }

  goAway(_lastStreamId: number, _code: number): void {
    this.#leaving = true;
    // Not within the reading of a frame: the socket may hold more of them.
    if (this.#lent.size === 0) queueMicrotask(() => this.close());
  }

  pong(): void {}

  #break(error: Error | undefined): void {
    if (this.#closed) return;
    this.readError = error;
    this.#ended = true;
    this.#core.lost(error === undefined ? "The upstream closed the connection" : error.message);
    this.close();
  }
}

const MAX_LINES = 1000;
/** How long the reply to a PING may take. */
const PONG_MS = 10_000;
