/**
 * The connections of one listener: counts and limits them, and checks their deadlines a few times a second.
 *
 * @module
 */

import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import type { IdleConnection } from "../port.ts";
import type { ListenerLimits } from "./limits_schema.ts";
import type { ListenerConnection } from "./listener_connection.ts";
import type { CloseCause } from "./close_cause.ts";
import { countClosed, LISTENER_METRICS, type ListenerMetrics } from "./listener_metrics.ts";

/** Open connections. Owned by a listener. */
export class ConnectionTable implements Watched {
  readonly #metrics: ListenerMetrics;
  readonly #clock: CoarseClock;
  /**
   * Each at its `tableIndex`. Not a Set: one whose members come and go is copied again and again, and what it was copied from
   * keeps its members from being collected as young ones.
   */
  readonly #connections: ListenerConnection[] = [];
  readonly #byAddress = new Map<string, number>();
  #watching = false;
  /** Whether no connection is added any more, but for those whose handshake is under way. */
  #ending = false;
  #nextSweepMs = 0;
  #emptied: (() => void) | undefined;

  constructor(clock: CoarseClock, metrics: ListenerMetrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  get size(): number {
    return this.#connections.length;
  }

  /**
   * Whether the limits allow another connection from `address`. The longest idle connection is closed to make room.
   *
   * @param trusted Whether the peer is a trusted proxy, which has the connections of many clients.
   * @param handshakes TLS handshakes of the address that are under way.
   */
  admits(address: string, trusted: boolean, limits: ListenerLimits, handshakes = 0): boolean {
    const { max_connections, max_connections_per_address } = limits;
    if (max_connections_per_address > 0 && !trusted) {
      if ((this.#byAddress.get(address) ?? 0) + handshakes >= max_connections_per_address) return false;
    }
    if (max_connections === 0 || this.#connections.length < max_connections) return true;
    this.#closeLongest(this.#idle(true), 1);
    return this.#connections.length < max_connections;
  }

  add(connection: ListenerConnection): void {
    if (!this.#watching) this.#clock.watch(this);
    this.#watching = true;
    connection.tableIndex = this.#connections.push(connection) - 1;
    this.#metrics.change(LISTENER_METRICS.metrics.open, 1);
    const { address } = connection.peer;
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
  }

  /** `connection` takes the place of `first`, with the same client. */
  replace(first: ListenerConnection, connection: ListenerConnection): void {
    connection.tableIndex = first.tableIndex;
    this.#connections[first.tableIndex] = connection;
    first.tableIndex = -1;
  }

  delete(connection: ListenerConnection, cause: CloseCause): void {
    const index = connection.tableIndex;
    if (index < 0) return;
    connection.tableIndex = -1;
    const last = this.#connections.pop() as ListenerConnection;
    if (last !== connection) {
      this.#connections[index] = last;
      last.tableIndex = index;
    }
    this.#metrics.change(LISTENER_METRICS.metrics.open, -1);
    countClosed(this.#metrics, cause);
    const { address } = connection.peer;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
    if (this.#ending) this.#rest();
    this.#emptied?.();
  }

  /**
   * Closes connections whose handles are needed, the longest idle first.
   *
   * @param most How many.
   * @returns How many were closed.
   */
  evict(most: number): number {
    return this.#closeLongest(this.#evictable(), most);
  }

  /** The connections that may be closed where their handles are needed. */
  idleConnections(): IdleConnection[] {
    const { nowMs } = this.#clock;
    return this.#evictable().map((connection) => ({
      idleMs: nowMs - connection.awaitedSinceMs,
      close: () => connection.close("evicted"),
    }));
  }

  #closeLongest(connections: ListenerConnection[], most: number): number {
    if (connections.length > most) connections.sort((a, b) => a.awaitedSinceMs - b.awaitedSinceMs).length = most;
    for (const connection of connections) connection.close("evicted");
    return connections.length;
  }

  /**
   * Connections between two requests, and those whose clients take too long to send one. The first request of a new connection
   * is usually on the way, or has arrived and is not read yet.
   */
  #evictable(): ListenerConnection[] {
    const latestMs = this.#clock.nowMs - FIRST_REQUEST_WAIT_MS;
    return this.#connections.filter((connection) => {
      const { awaitedSinceMs } = connection;
      if (awaitedSinceMs < 0) return false;
      return awaitedSinceMs <= latestMs || (connection.used && connection.idleSinceMs >= 0);
    });
  }

  #idle(used: boolean): ListenerConnection[] {
    const idle: ListenerConnection[] = [];
    for (const connection of this.#connections) {
      if (connection.idleSinceMs >= 0 && (connection.used || !used)) idle.push(connection);
    }
    return idle;
  }

  /** Ends each connection after its current response; resolves when the last has closed, but for tunnels. */
  async drain(): Promise<void> {
    this.#ending = true;
    this.#rest();
    this.#forEach((connection) => connection.drain());
    if (this.#onlyTunnels) return;
    const next = setTimeout(() => this.#closeIdle(true), NEXT_REQUEST_MS);
    const first = setTimeout(() => this.#closeIdle(false), FIRST_REQUEST_MS);
    await new Promise<void>((resolve) => {
      this.#emptied = () => {
        if (this.#onlyTunnels) resolve();
      };
    });
    clearTimeout(next);
    clearTimeout(first);
  }

  #closeIdle(used: boolean): void {
    for (const connection of this.#idle(used)) connection.close("shutdown");
  }

  /** Closes all connections at once, but for tunnels, which their handlers close. */
  close(): void {
    this.#ending = true;
    this.#rest();
    this.#forEach((connection) => connection.close("shutdown"));
  }

  /** Enforces the deadlines of all connections. */
  tick(nowMs: number): void {
    // Not when the last one closes: the next often follows at once, and a timer for each would cost more than all the rest.
    this.#rest();
    if (nowMs < this.#nextSweepMs) return;
    const startMs = performance.now();
    this.#forEach((connection) => connection.tick(nowMs));
    // Timeouts of many seconds do not require a check of ten thousand connections on each tick.
    this.#nextSweepMs = nowMs + Math.min(MAX_SWEEP_MS, 100 * (performance.now() - startMs));
  }

  /** Looks at nothing any more, if there is no connection. */
  #rest(): void {
    if (!this.#watching || this.#connections.length > 0) return;
    this.#watching = false;
    this.#clock.unwatch(this);
  }

  get #onlyTunnels(): boolean {
    return this.#connections.every((connection) => connection.tunnelled);
  }

  /** From the last to the first: where one is deleted meanwhile, the last takes its place. */
  #forEach(act: (connection: ListenerConnection) => void): void {
    for (let i = this.#connections.length - 1; i >= 0; i--) {
      // Several may be deleted at once.
      if (i < this.#connections.length) act(this.#connections[i]);
    }
  }
}

const MAX_SWEEP_MS = 250;
/** Time for the head of a request before its connection may be closed for others, where handles are short. */
const FIRST_REQUEST_WAIT_MS = 1000;
/** How long the next request of a connection that was used lately may take when the listener shuts down. */
const NEXT_REQUEST_MS = 50;
/** How long the first request of a new connection may take when the listener shuts down. */
const FIRST_REQUEST_MS = 250;
