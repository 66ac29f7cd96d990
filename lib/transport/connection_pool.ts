/**
 * The kept-alive connections of one upstream.
 *
 * @module
 */

import type { CoarseClock } from "../state/coarse_clock.ts";
import { Connection, type ConnectionLimits } from "./connection.ts";
import { dial } from "./dial.ts";
import type { Endpoint } from "./endpoint.ts";
import { TransportFailure } from "./failure.ts";

/** How a pool dials and keeps. */
export interface ConnectionPoolOptions extends ConnectionLimits {
  /** Longest time for look-up, TCP and TLS handshake together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Connections kept while idle; the rest is closed after its exchange. */
  readonly maxIdle: number;
}

/** Dials an upstream and keeps what can be used again. Closed by its upstream's owner. */
export class ConnectionPool {
  readonly #endpoint: Endpoint;
  readonly #options: ConnectionPoolOptions;
  readonly #clock: CoarseClock;
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  #closed = false;

  /** Makes an empty pool for `endpoint`. */
  constructor(endpoint: Endpoint, options: ConnectionPoolOptions, clock: CoarseClock) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#clock = clock;
  }

  /** Connections that are open, idle ones included. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Connections that wait for work. */
  get idleCount(): number {
    return this.#idle.length;
  }

  /** The idle connection that was used last, which is the least likely to be closing; undefined when there is none. */
  take(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || !connection.closed) return connection;
    }
  }

  /**
   * Dials a new connection.
   *
   * @param signal Ends the attempt.
   * @throws {TransportFailure} `connect`, `connect_timeout` or `client_left`.
   */
  async connect(signal?: AbortSignal): Promise<Connection> {
    const wire = await dial(this.#endpoint, this.#options.connectTimeoutMs, signal);
    const connection = new Connection(wire, this.#clock, this.#options, (retired) => this.#forget(retired));
    this.#open.add(connection);
    if (this.#closed) {
      connection.close();
      throw new TransportFailure("dropped", "The upstream was taken out of use while it was dialled");
    }
    return connection;
  }

  /** Takes a connection back after its exchange. `sent` tells whether the whole request was sent. */
  giveBack(connection: Connection, sent: boolean): void {
    if (!connection.finish(sent)) return;
    if (this.#closed || this.#idle.length >= this.#options.maxIdle) connection.close();
    else this.#idle.push(connection);
  }

  /** Closes what idles; connections in use are closed when they are given back. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  /** Closes everything at once; exchanges under way fail. */
  destroy(): void {
    this.close();
    for (const connection of [...this.#open]) {
      connection.abort(new TransportFailure("dropped", "The proxy is shutting down"));
    }
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection);
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}
