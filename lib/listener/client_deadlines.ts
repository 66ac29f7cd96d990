/**
 * What is being waited for from one client, and until when. Numbers only: the connection table looks at them a few times
 * a second, so that no request sets a timer.
 *
 * @module
 */

import type { CoarseClock } from "../state/coarse_clock.ts";
import type { ListenerLimits } from "./listener_limits.ts";

/** Whose time is over. */
export type Overdue = "idle" | "head" | "body" | "write" | "linger";

/** The waits of one connection. */
export class ClientDeadlines {
  readonly #clock: CoarseClock;
  readonly #limits: ListenerLimits;
  #awaited: Exclude<Overdue, "write"> = "idle";
  #readMs = 0;
  #writeMs = 0;
  // The body's budget: time that was spent waiting for it, against the bytes that came of it.
  #bodySinceMs = 0;
  #bodyWaitedMs = 0;
  #bodyBytes = 0;

  /** Waits for nothing yet. */
  constructor(clock: CoarseClock, limits: ListenerLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The next request is to begin. */
  awaitRequest(first: boolean): void {
    this.#await("idle", first ? this.#limits.headerTimeoutMs : this.#limits.idleTimeoutMs);
  }

  /** A head has begun. Further bytes of it do not prolong its time. */
  awaitHead(): void {
    if (this.#awaited !== "head" || this.#readMs === 0) this.#await("head", this.#limits.headerTimeoutMs);
  }

  /** The head is there. */
  endHead(): void {
    this.#readMs = 0;
    this.#bodyWaitedMs = 0;
    this.#bodyBytes = 0;
  }

  /** More of the body is to come. */
  awaitBody(): void {
    this.#bodySinceMs = this.#clock.nowMs;
    this.#await("body", this.#limits.bodyTimeoutMs);
  }

  /** It came. */
  endBody(bytes: number): void {
    this.#readMs = 0;
    this.#bodyWaitedMs += this.#clock.nowMs - this.#bodySinceMs;
    this.#bodyBytes += bytes;
  }

  /** The client is to read the last response and close. */
  awaitClose(timeoutMs: number): void {
    this.#await("linger", timeoutMs);
  }

  /** The client is to take bytes. */
  awaitWrite(): void {
    const { writeTimeoutMs } = this.#limits;
    this.#writeMs = writeTimeoutMs === 0 ? 0 : this.#clock.nowMs + writeTimeoutMs;
  }

  /** It took them. */
  endWrite(): void {
    this.#writeMs = 0;
  }

  /** What the client is too late with, or undefined. */
  overdue(nowMs: number): Overdue | undefined {
    if (this.#writeMs !== 0 && nowMs > this.#writeMs) return "write";
    if (this.#readMs === 0) return undefined;
    if (nowMs > this.#readMs) return this.#awaited;
    return this.#awaited === "body" && this.#tooSlow(nowMs) ? "body" : undefined;
  }

  #tooSlow(nowMs: number): boolean {
    const { bodyTimeoutMs, bodyBytesPerSecond } = this.#limits;
    if (bodyBytesPerSecond === 0 || bodyTimeoutMs === 0) return false;
    const waitedMs = this.#bodyWaitedMs + nowMs - this.#bodySinceMs;
    return waitedMs > bodyTimeoutMs + this.#bodyBytes * 1000 / bodyBytesPerSecond;
  }

  #await(what: Exclude<Overdue, "write">, timeoutMs: number): void {
    this.#awaited = what;
    this.#readMs = timeoutMs === 0 ? 0 : this.#clock.nowMs + timeoutMs;
  }
}
