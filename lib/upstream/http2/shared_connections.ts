/**
 * The shared connections of one upstream that speaks HTTP/2. One of them takes all exchanges, up to the number that the
 * upstream and the config allow; then there is another.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";
import { name } from "../../sockets/dial.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import { StallTolerantTimer } from "../../state/stall_tolerant_timer.ts";
import { CONNECTIONS, IDLE, OPEN, type UpstreamMetrics } from "../upstream_metrics.ts";
import { SharedConnection, type SharedConnectionLimits, type SharedConnectionOwner } from "./shared_connection.ts";
import type { UpstreamStream } from "./upstream_stream.ts";

/** The shared connections of an upstream. Owned by its connection pool. */
export class SharedConnections implements SharedConnectionOwner {
  readonly #clock: CoarseClock;
  readonly #limits: SharedConnectionLimits;
  readonly #metrics: UpstreamMetrics | undefined;
  readonly #onRoom: () => void;
  readonly #open = new Set<SharedConnection>();
  readonly #idle = new Set<SharedConnection>();
  #closed = false;

  /** @param onRoom Called when a connection may have room for an exchange. */
  constructor(
    clock: CoarseClock,
    limits: SharedConnectionLimits,
    metrics: UpstreamMetrics | undefined,
    onRoom: () => void,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#metrics = metrics;
    this.#onRoom = onRoom;
  }

  /** Connections without an exchange. */
  get idleCount(): number {
    return this.#idle.size;
  }

  /** Whether a connection takes another exchange. */
  get hasRoom(): boolean {
    for (const connection of this.#open) if (connection.hasRoom) return true;
    return false;
  }

  /** A stream of a connection with room: of the oldest one, so that the others idle out. undefined without one. */
  take(): UpstreamStream | undefined {
    for (const connection of this.#open) {
      if (connection.hasRoom) return this.#lend(connection);
    }
    return undefined;
  }

  /**
   * A stream for a WebSocket; undefined where no connection has room for one, null where the upstream takes none over
   * HTTP/2.
   */
  takeTunnel(): UpstreamStream | undefined | null {
    let refuses = false;
    for (const connection of this.#open) {
      if (!connection.hasRoom) continue;
      if (connection.takesTunnels) return this.#lend(connection);
      refuses = true;
    }
    return refuses ? null : undefined;
  }

  /**
   * Makes a connection over a new socket. It is used once the upstream has sent its settings.
   *
   * @param endpoint The upstream's, for messages.
   * @param timeoutMs How long that may take; Infinity for no limit.
   * @throws {TransportFailure} `connect` or `connect_timeout`.
   */
  async add(socket: Socket, endpoint: Endpoint, timeoutMs: number): Promise<void> {
    const connection = new SharedConnection(socket, this.#clock, this.#limits, this);
    this.#open.add(connection);
    this.#metrics?.change(CONNECTIONS, 1, OPEN);
    this.#rest(connection);
    if (this.#closed) connection.leave();
    let late = false;
    const expire = () => {
      late = true;
      connection.close();
    };
    const timer = timeoutMs < Infinity ? new StallTolerantTimer(expire, timeoutMs) : undefined;
    try {
      await connection.settled;
    } catch (error) {
      connection.close();
      if (this.#closed) throw new TransportFailure("dropped", TAKEN_OUT, error);
      if (late) {
        throw new TransportFailure(
          "connect_timeout",
          `${name(endpoint)} sent no SETTINGS of HTTP/2 within ${timeoutMs} ms`,
        );
      }
      const reason = (error as Error).message;
      throw new TransportFailure("connect", `Cannot speak HTTP/2 with ${name(endpoint)}: ${reason}`, error);
    } finally {
      timer?.stop();
    }
  }

  /** Closes idle connections; others are closed after their last exchange. */
  close(): void {
    this.#closed = true;
    for (const connection of [...this.#open]) connection.leave();
  }

  /** Closes idle connections and returns their number. */
  releaseIdle(): number {
    const idle = [...this.#idle];
    for (const connection of idle) connection.close();
    return idle.length;
  }

  /** Closes all connections at once; their exchanges fail with `failure`. */
  destroy(failure: TransportFailure): void {
    for (const connection of [...this.#open]) connection.abort(failure);
  }

  /** From a connection: it may have room. */
  changed(connection: SharedConnection): void {
    if (connection.hasRoom) this.#onRoom();
    if (connection.idle) this.#rest(connection);
  }

  /** From a connection: it is closed. */
  retired(connection: SharedConnection): void {
    if (this.#open.delete(connection)) this.#metrics?.change(CONNECTIONS, -1, OPEN);
    this.#wake(connection);
  }

  #lend(connection: SharedConnection): UpstreamStream {
    this.#wake(connection);
    return connection.lend();
  }

  #rest(connection: SharedConnection): void {
    if (connection.closed || this.#idle.has(connection)) return;
    this.#idle.add(connection);
    this.#metrics?.change(CONNECTIONS, 1, IDLE);
  }

  #wake(connection: SharedConnection): void {
    if (this.#idle.delete(connection)) this.#metrics?.change(CONNECTIONS, -1, IDLE);
  }
}

/** Why a connection that was opened is not used. */
export const TAKEN_OUT = "The upstream was taken out of use while it was dialled";
