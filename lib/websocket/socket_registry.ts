/**
 * The open WebSockets of one generation, so that they are counted, and told when the proxy goes away.
 *
 * @module
 */

import type { Relay } from "./relay.ts";

/** Open WebSockets. Owned by the gateway. */
export class SocketRegistry {
  // With how long each may go on once the proxy is stopping, in milliseconds.
  readonly #open = new Map<Relay, number>();
  readonly #timers = new Map<Relay, ReturnType<typeof setTimeout>>();
  #draining = false;
  #emptied: (() => void)[] = [];

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether no more may be opened. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Counts a relay in. */
  add(relay: Relay, drainMs: number): void {
    this.#open.set(relay, drainMs);
    // One whose handshake was under way when the end was announced.
    if (this.#draining) this.#sendAwaySoon(relay, drainMs);
  }

  /** Counts a relay out. */
  delete(relay: Relay): void {
    clearTimeout(this.#timers.get(relay));
    this.#timers.delete(relay);
    this.#open.delete(relay);
    if (this.#open.size === 0) { for (const resolve of this.#emptied.splice(0)) resolve(); }
  }

  /** Tells each that the proxy goes away, after the time that it has. Settles when none is left. */
  drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true;
      for (const [relay, drainMs] of this.#open) this.#sendAwaySoon(relay, drainMs);
    }
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptied.push(resolve));
  }

  /** Ends all at once. */
  destroy(): void {
    for (const relay of [...this.#open.keys()]) relay.destroy();
  }

  #sendAwaySoon(relay: Relay, drainMs: number): void {
    this.#timers.set(relay, setTimeout(() => relay.goAway(), drainMs));
  }
}
