/**
 * The open WebSockets of all generations, so that they are counted, and told when their route or the proxy goes away.
 *
 * @module
 */

import type { Relay } from "./relay.ts";

/** What an open WebSocket belongs to. */
export interface RouteBinding {
  /** Its route, told apart from all others, and from itself after a change. */
  readonly route: string;
  /** Its upstream. */
  readonly upstream: string;
  /** How long it may go on once the proxy is stopping, in milliseconds. */
  readonly drainMs: number;
}

/** Open WebSockets. Owned by the runtime. */
export class SocketRegistry {
  /** Those whose client left while its handshake was answered: the runtime's shutdown waits for them for ever. */
  neverOpened = 0;
  readonly #open = new Map<Relay, RouteBinding>();
  readonly #timers = new Map<Relay, ReturnType<typeof setTimeout>>();
  #draining = false;
  #left: (() => void)[] = [];

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether no more may be opened. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Counts a relay in. */
  add(relay: Relay, place: RouteBinding): void {
    this.#open.set(relay, place);
    // One whose handshake was under way when the end was announced.
    if (this.#draining) this.#sendAwaySoon(relay, place.drainMs);
  }

  /** Counts a relay out. */
  delete(relay: Relay): void {
    this.#cancel(relay);
    this.#open.delete(relay);
    for (const look of [...this.#left]) look();
  }

  /** Tells each that the proxy goes away, after the time that it has. Settles when none is left. */
  drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true;
      for (const [relay, { drainMs }] of this.#open) this.#sendAwaySoon(relay, drainMs);
    }
    return this.#allLeft([...this.#open.keys()]);
  }

  /**
   * Tells those whose place is gone that it goes away. Settles when none of them is left.
   *
   * @param stays Whether a place is still there.
   * @param delayMs How long they may go on.
   */
  sendAway(stays: (place: RouteBinding) => boolean, delayMs: number): Promise<void> {
    const gone: Relay[] = [];
    for (const [relay, place] of this.#open) {
      if (stays(place)) {
        // Its route was away for less than the time that it was given.
        if (!this.#draining) this.#cancel(relay);
        continue;
      }
      gone.push(relay);
      if (!this.#timers.has(relay)) {
        this.#sendAwaySoon(relay, delayMs, "Its route, or its upstream, is not in the new config");
      }
    }
    return this.#allLeft(gone);
  }

  /** Ends all at once. */
  destroy(): void {
    for (const relay of [...this.#open.keys()]) relay.destroy();
  }

  #allLeft(relays: readonly Relay[]): Promise<void> {
    const left = () => relays.every((relay) => !this.#open.has(relay));
    if (left()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (!left()) return;
        this.#left = this.#left.filter((other) => other !== look);
        resolve();
      };
      this.#left.push(look);
    });
  }

  #cancel(relay: Relay): void {
    clearTimeout(this.#timers.get(relay));
    this.#timers.delete(relay);
  }

  #sendAwaySoon(relay: Relay, delayMs: number, cause?: string): void {
    clearTimeout(this.#timers.get(relay));
    this.#timers.set(relay, setTimeout(() => relay.goAway(cause), delayMs));
  }
}
