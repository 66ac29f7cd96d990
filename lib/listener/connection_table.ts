/**
 * The connections of one listener: counted, bounded, and looked at a few times a second.
 *
 * @module
 */

import type { CoarseClock, Watched } from "../state/coarse_clock.ts";
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

  /** Is empty. */
  constructor(clock: CoarseClock, limits: ListenerLimits) {
    this.#clock = clock;
    this.#limits = limits;
    const { headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs, writeTimeoutMs } = limits;
    const shortest = Math.min(
      ...[headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs, writeTimeoutMs].filter((ms) => ms > 0),
    );
    // Ten thousand connections need not be looked at on each tick for the sake of timeouts of many seconds.
    this.#sweepMs = Math.min(250, shortest / 8);
  }

  /** How many are open. */
  get size(): number {
    return this.#connections.size;
  }

  /** Whether one more from `address` is within the bounds. */
  admits(address: string): boolean {
    return this.#connections.size < this.#limits.maxConnections &&
      (this.#byAddress.get(address) ?? 0) < this.#limits.maxConnectionsPerAddress;
  }

  /** Counts a connection in. */
  add(connection: ServedConnection): void {
    if (this.#connections.size === 0) this.#clock.watch(this);
    this.#connections.add(connection);
    const { address } = connection.peer;
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
  }

  /** Counts it out. */
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

  /** Ends each after the response that is under way; settles when the last has gone. */
  async drain(): Promise<void> {
    for (const connection of this.#connections) connection.drain();
    if (this.#connections.size > 0) await new Promise<void>((resolve) => this.#emptied = resolve);
  }

  /** Closes all at once. */
  destroy(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Enforces the deadlines of all. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + this.#sweepMs;
    for (const connection of this.#connections) connection.tick(nowMs);
  }
}
