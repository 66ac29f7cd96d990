/**
 * The upstreams of one name, and the line of those who wait for room in it.
 *
 * @module
 */

import type { RequestHead } from "../http/message.ts";
import type { Upstream } from "./upstream.ts";

/** Chooses an upstream; a policy of `balancer/` is one. */
export interface Chooser {
  /** The upstream for the next attempt, or undefined when none is available. */
  pick(request?: { head: RequestHead; clientAddress: string }, avoid?: readonly Upstream[]): Upstream | undefined;
}

/** What a pool is made of. */
export interface PoolOptions {
  /** Name that routes refer to. */
  readonly name: string;
  /** Its servers, at least one. */
  readonly upstreams: readonly Upstream[];
  /** Chooses among them. */
  readonly policy: Chooser;
  /** Most exchanges that wait for room at a time. */
  readonly queueSize: number;
  /** Longest wait, in milliseconds. */
  readonly queueTimeoutMs: number;
}

/** Upstreams of one name. Owned by its generation. */
export class Pool {
  /** Name that routes refer to. */
  readonly name: string;
  /** Its servers. */
  readonly upstreams: readonly Upstream[];
  readonly #policy: Chooser;
  readonly #queueSize: number;
  readonly #queueTimeoutMs: number;
  readonly #waiting: Waiter[] = [];

  /** Makes a pool and takes over its upstreams' `onReleased`. */
  constructor(options: PoolOptions) {
    this.name = options.name;
    this.upstreams = options.upstreams;
    this.#policy = options.policy;
    this.#queueSize = options.queueSize;
    this.#queueTimeoutMs = options.queueTimeoutMs;
    for (const upstream of this.upstreams) upstream.onReleased = () => this.#released(upstream);
  }

  /** The upstream for the next attempt, or undefined when none is available. Those in `avoid` are never picked. */
  pick(request: { head: RequestHead; clientAddress: string }, avoid?: readonly Upstream[]): Upstream | undefined {
    return this.#policy.pick(request, avoid);
  }

  /** Exchanges that wait for room. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Whether an upstream outside `avoid` is full: one that will have room again. */
  busy(avoid: readonly Upstream[] | undefined): boolean {
    return this.upstreams.some((upstream) => upstream.full && !avoid?.includes(upstream));
  }

  /**
   * Waits until some upstream has room.
   *
   * @param signal Ends the wait, as when the client has left.
   * @param avoid Upstreams whose room is of no use.
   * @returns Whether to try again: false when the line or the wait was too long, or `signal` fired.
   */
  waitForRoom(signal: AbortSignal, avoid: readonly Upstream[] | undefined): Promise<boolean> {
    if (this.#waiting.length >= this.#queueSize) return Promise.resolve(false);
    return new Promise((resolve) => {
      const leave = () => {
        const index = this.#waiting.indexOf(waiter);
        if (index >= 0) this.#waiting.splice(index, 1);
        settle(false);
      };
      const settle = (room: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", leave);
        resolve(room);
      };
      const waiter: Waiter = { settle, avoid };
      const timer = setTimeout(leave, this.#queueTimeoutMs);
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  /** Closes idle connections; those in use close after their exchange. */
  close(): void {
    for (const upstream of this.upstreams) upstream.connections.close();
  }

  #released(upstream: Upstream): void {
    if (this.#waiting.length === 0) return;
    // The first in line, but not one to whom this room is of no use: the wake-up would be lost on it.
    const index = this.#waiting.findIndex((waiter) => !waiter.avoid?.includes(upstream));
    if (index >= 0) this.#waiting.splice(index, 1)[0].settle(true);
  }
}

interface Waiter {
  readonly avoid: readonly Upstream[] | undefined;
  settle(room: boolean): void;
}
