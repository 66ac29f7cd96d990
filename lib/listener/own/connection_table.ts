/**
 * The connections of one listener: counts and limits them, and checks their deadlines a few times a second.
 *
 * @module
 */

import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import type { ListenerLimits } from "./listener_limits.ts";
import type { ServedConnection } from "./served_connection.ts";

/** Open connections. Owned by a listener. */
export class ConnectionTable implements Watched {
  readonly #clock: CoarseClock;
  readonly #limits: ListenerLimits;
  readonly #connections = new Set<ServedConnection>();
  readonly #byAddress = new Map<string, number>();
  readonly #sweepMs: number;
  #nextSweepMs = 0;
  #emptied: (() => void) | undefined;

  constructor(clock: CoarseClock, limits: ListenerLimits) {
    this.#clock = clock;
    this.#limits = limits;
    const { headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs, writeTimeoutMs } = limits;
    const shortest = Math.min(
      ...[headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs, writeTimeoutMs].filter((ms) => ms > 0),
    );
    // Timeouts of many seconds do not require a check of ten thousand connections on each tick.
    this.#sweepMs = Math.min(250, shortest / 8);
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Whether the limits allow another connection from `address`. */
  admits(address: string): boolean {
    return this.#connections.size < this.#limits.maxConnections &&
      (this.#byAddress.get(address) ?? 0) < this.#limits.maxConnectionsPerAddress;
  }

  add(connection: ServedConnection): void {
    if (this.#connections.size === 0) this.#clock.watch(this);
    this.#connections.add(connection);
    const { address } = connection.peer;
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
  }

  delete(connection: ServedConnection): void {
    if (!this.#connections.delete(connection)) return;
    const { address } = connection.peer;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
    if (this.#connections.size > 0) return;
    this.#clock.unwatch(this);
    this.#emptied?.();
  }

  /** Closes each connection after its current response; resolves when the last has closed. */
  async drain(): Promise<void> {
    for (const connection of this.#connections) connection.drain();
    if (this.#connections.size > 0) await new Promise<void>((resolve) => this.#emptied = resolve);
  }

  /** Closes the connections without a request. */
  closeIdle(): void {
    for (const connection of this.#connections) connection.closeIdle();
  }

  /** Closes all connections at once. */
  destroy(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Enforces the deadlines of all connections. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + this.#sweepMs;
    for (const connection of this.#connections) connection.tick(nowMs);
  }
}
