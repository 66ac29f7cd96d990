/**
 * Time that a test winds forward.
 *
 * @module
 */

import type { DiscoveryTime } from "../../../lib/upstream/discovery/discovery.ts";

/** Stands still until {@linkcode ManualTime.advance}. */
export class ManualTime implements DiscoveryTime {
  /** What `random` gives. */
  chance = 0;
  readonly #timers = new Set<{ dueMs: number; callback: () => void }>();
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  random(): number {
    return this.chance;
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets `ms` pass: what is due is called in order, and what it sets off is over before the next. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await reactions();
    for (;;) {
      const [next] = [...this.#timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.callback();
      await reactions();
    }
    this.#nowMs = endMs;
  }
}

/** One turn of the event loop: all reactions of promises that are settled have run then. */
function reactions(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
