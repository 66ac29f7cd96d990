/**
 * The queue of exchanges that wait for room in a pool.
 *
 * @module
 */

import type { ConnectionsConfig } from "./config/connections_schema.ts";
import type { Upstream } from "./upstream.ts";

/** Limits of a queue. */
export type QueueConfig = Pick<ConnectionsConfig, "queue_size" | "queue_timeout">;

/**
 * How long one exchange has waited in total. It may wait again if another exchange took the slot that it was woken for.
 */
export interface QueueBudget {
  waitedMs: number;
}

/** Queued exchanges, oldest first. Owned by a pool. */
export class RequestQueue {
  readonly #config: QueueConfig;
  readonly #waiting: Waiter[] = [];

  /** Makes an empty queue. */
  constructor(config: QueueConfig) {
    this.#config = config;
  }

  /** Number of queued exchanges. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Whether no further exchange is queued. */
  get full(): boolean {
    return this.#waiting.length >= this.#config.queue_size;
  }

  /**
   * Waits until the exchange is woken.
   *
   * @param signal Ends the wait, as when the client has left.
   * @param avoid Upstreams that must not be used.
   * @param queueBudget Limits the sum of all waits of the exchange; this one is added.
   * @returns Whether it was woken: false when the queue or the wait was too long, or `signal` fired.
   */
  wait(signal: AbortSignal, avoid: readonly Upstream[] | undefined, queueBudget: QueueBudget): Promise<boolean> {
    if (this.full) return Promise.resolve(false);
    const fromMs = performance.now();
    return new Promise((resolve) => {
      const leave = () => {
        const index = this.#waiting.indexOf(waiter);
        if (index >= 0) this.#waiting.splice(index, 1);
        settle(false);
      };
      const settle = (room: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", leave);
        queueBudget.waitedMs += performance.now() - fromMs;
        resolve(room);
      };
      const waiter: Waiter = { settle, avoid };
      const timer = setTimeout(leave, Math.max(0, this.#config.queue_timeout - queueBudget.waitedMs));
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  /** Wakes the oldest exchange that may use `upstream`. Returns whether there was one. */
  call(upstream: Upstream): boolean {
    const index = this.#waiting.findIndex((waiter) => !waiter.avoid?.includes(upstream));
    if (index < 0) return false;
    this.#waiting.splice(index, 1)[0].settle(true);
    return true;
  }
}

interface Waiter {
  readonly avoid: readonly Upstream[] | undefined;
  settle(room: boolean): void;
}
