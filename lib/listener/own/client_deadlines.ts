/**
 * The deadlines of one client connection. They are plain numbers, which the connection table checks a few times a
 * second, so that no request sets a timer.
 *
 * @module
 */

import type { CoarseClock } from "../../state/coarse_clock.ts";
import type { ListenerLimits } from "./listener_limits.ts";

/** The deadline that has passed. */
export type Overdue = "idle" | "head" | "body" | "write" | "linger";

/** The deadlines of one connection. */
export class ClientDeadlines {
  readonly #clock: CoarseClock;
  readonly #limits: ListenerLimits;
  #awaited: Exclude<Overdue, "write"> = "idle";
  #readMs = 0;
  #writeMs = 0;
  // The budget of the body: the time spent waiting for it, and the bytes received in that time.
  #bodySinceMs = 0;
  #bodyWaitedMs = 0;
  #bodyBytes = 0;

  /** Sets no deadline yet. */
  constructor(clock: CoarseClock, limits: ListenerLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Starts the wait for the next request. */
  awaitRequest(first: boolean): void {
    this.#await("idle", first ? this.#limits.headerTimeoutMs : this.#limits.idleTimeoutMs);
  }

  /** Starts the deadline of a head. Further bytes of the head do not prolong it. */
  awaitHead(): void {
    if (this.#awaited !== "head" || this.#readMs === 0) this.#await("head", this.#limits.headerTimeoutMs);
  }

  /** The head is complete. */
  endHead(): void {
    this.#readMs = 0;
    this.#bodyWaitedMs = 0;
    this.#bodyBytes = 0;
  }

  /** Starts the wait for the next bytes of the body. */
  awaitBody(): void {
    this.#bodySinceMs = this.#clock.nowMs;
    this.#await("body", this.#limits.bodyTimeoutMs);
  }

  /** Ends that wait: `bytes` bytes arrived. */
  endBody(bytes: number): void {
    this.#readMs = 0;
    this.#bodyWaitedMs += this.#clock.nowMs - this.#bodySinceMs;
    this.#bodyBytes += bytes;
  }

  /** Starts the wait for the client to read the last response and close. */
  awaitClose(timeoutMs: number): void {
    this.#await("linger", timeoutMs);
  }

  /** Starts the wait for the client to accept bytes. */
  awaitWrite(): void {
    const { writeTimeoutMs } = this.#limits;
    this.#writeMs = writeTimeoutMs === 0 ? 0 : this.#clock.nowMs + writeTimeoutMs;
  }

  /** Ends that wait: the bytes were accepted. */
  endWrite(): void {
    this.#writeMs = 0;
  }

  /** The deadline that the client has missed, or undefined. */
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
