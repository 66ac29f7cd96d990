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

/** Counts the connections of an upstream. */
export interface ConnectionMeter {
  /** One was dialled. */
  dialled(tookMs: number): void;
  /** One is open, or not any more. */
  opened(by: 1 | -1): void;
  /** Some idle, or not any more. */
  idled(by: number): void;
  /** One that was kept is used again. */
  reusedOne(): void;
}

/** How a pool dials and keeps. */
export interface ConnectionPoolOptions extends ConnectionLimits {
  /** Longest time for look-up, TCP and TLS handshake together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Connections kept while idle; the rest is closed after its exchange. */
  readonly maxIdle: number;
  /**
   * Who counts.
   *
   * @default {nobody}
   */
  readonly meter?: ConnectionMeter;
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
      if (connection === undefined) return undefined;
      this.#options.meter?.idled(-1);
      if (connection.closed) continue;
      this.#options.meter?.reusedOne();
      return connection;
    }
  }

  /**
   * Dials a new connection.
   *
   * @param signal Ends the attempt.
   * @throws {TransportFailure} `connect`, `connect_timeout` or `client_left`.
   */
  async connect(signal?: AbortSignal): Promise<Connection> {
    const { meter } = this.#options;
    const startMs = performance.now();
    const wire = await dial(this.#endpoint, this.#options.connectTimeoutMs, signal);
    meter?.dialled(performance.now() - startMs);
    const connection = new Connection(wire, this.#clock, this.#options, (retired) => this.#forget(retired));
    this.#open.add(connection);
    meter?.opened(1);
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
    else {
      this.#idle.push(connection);
      this.#options.meter?.idled(1);
    }
  }

  /** Closes what idles; connections in use are closed when they are given back. */
  close(): void {
    this.#closed = true;
    this.releaseIdle();
  }

  /** Closes what idles. */
  releaseIdle(): void {
    const idle = this.#idle.splice(0);
    this.#options.meter?.idled(-idle.length);
    for (const connection of idle) connection.close();
  }

  /** Closes everything at once; exchanges under way fail. */
  destroy(): void {
    this.close();
    for (const connection of [...this.#open]) {
      connection.abort(new TransportFailure("dropped", "The proxy is shutting down"));
    }
  }

  #forget(connection: Connection): void {
    const { meter } = this.#options;
    if (this.#open.delete(connection)) meter?.opened(-1);
    const index = this.#idle.lastIndexOf(connection);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    meter?.idled(-1);
  }
}
