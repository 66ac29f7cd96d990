/**
 * The deadlines of one client connection. They are plain numbers, which the connection table checks a few times a
 * second, so that no request sets a timer.
 *
 * @module
 */

import type { CoarseClock } from "../../state/coarse_clock.ts";
import type { ListenerLimits } from "./limits_schema.ts";

/** What is awaited of the client. */
export type Awaited = "idle" | "head" | "body" | "close";

/** What the client has not done in time; `write` is to take a response. */
export type Overdue = Awaited | "write";

/** Longest time spent waiting for a body before its rate is checked. */
const RATE_GRACE_MS = 20_000;

/** The deadlines of one connection. */
export class ClientDeadlines {
  readonly #clock: CoarseClock;
  /** Those of the port when the connection was accepted. */
  readonly limits: ListenerLimits;
  #awaited: Awaited = "idle";
  /** When the wait began. */
  #sinceMs = 0;
  /** 0 while nothing is awaited, or without a limit. */
  #deadlineMs = 0;
  // The budget of the body: the time spent waiting for it, and the bytes received in that time.
  #bodyWaitedMs = 0;
  #bodyBytes = 0;
  // The client's reading: the bytes that its connection has accepted and when it last accepted some, and both at the
  // beginning of the time in which its rate is measured.
  #acceptedBytes = 0;
  #acceptedMs = 0;
  #measuredBytes = 0;
  #measuredMs = 0;

  /** Sets no deadline yet. */
  constructor(clock: CoarseClock, limits: ListenerLimits) {
    this.#clock = clock;
    this.limits = limits;
    // The clock is older than the connection.
    this.#acceptedMs = this.#measuredMs = clock.nowMs;
  }

  /** When the current wait began, on the clock. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Starts the wait for the next request. */
  awaitRequest(first: boolean): void {
    this.#await("idle", first ? this.limits.header_timeout : this.limits.idle_timeout);
  }

  /** Starts the wait for the rest of a head. Further bytes of the head do not prolong it. */
  awaitHead(): void {
    if (this.#awaited !== "head" || this.#deadlineMs === 0) this.#await("head", this.limits.header_timeout);
  }

  /** Ends the wait for the client: the request is complete, or its body is not wanted yet. That for its end goes on. */
  end(): void {
    if (this.#awaited !== "close") this.#deadlineMs = 0;
  }

  /** A request has begun. Nothing is awaited until its body is wanted. */
  begin(): void {
    this.#deadlineMs = 0;
    this.#bodyWaitedMs = 0;
    this.#bodyBytes = 0;
  }

  /** Starts the wait for the next bytes of the body. */
  awaitBody(): void {
    this.#await("body", this.limits.body_timeout);
  }

  /** Ends that wait: `bytes` bytes arrived. */
  endBody(bytes: number): void {
    this.#bodyBytes += bytes;
    if (this.#awaited !== "body" || this.#deadlineMs === 0) return;
    this.#deadlineMs = 0;
    this.#bodyWaitedMs += this.#clock.nowMs - this.#sinceMs;
  }

  /** The body may arrive at any rate, until the next request begins. */
  allowSlowBody(): void {
    // However long is waited, it adds up to no time.
    this.#bodyWaitedMs = -Infinity;
  }

  /** Starts the wait for the client to read the last response and close. */
  awaitClose(timeoutMs: number): void {
    this.#await("close", timeoutMs);
  }

  /**
   * What the client has not done in time, or undefined.
   *
   * @param queuedBytes Bytes that wait to be sent.
   * @param acceptedBytes Bytes that were sent on the connection and that the system has accepted.
   */
  overdue(nowMs: number, queuedBytes: number, acceptedBytes: number): Overdue | undefined {
    if (this.#stalled(nowMs, queuedBytes, acceptedBytes)) return "write";
    if (this.#deadlineMs === 0) return undefined;
    if (nowMs > this.#deadlineMs) return this.#awaited;
    return this.#awaited === "body" && this.#tooSlow(nowMs) ? "body" : undefined;
  }

  /** Whether the client has taken nothing of a response for too long, or less than the lowest rate. */
  #stalled(nowMs: number, queuedBytes: number, acceptedBytes: number): boolean {
    const { write_timeout: timeoutMs, min_rate } = this.limits;
    if (queuedBytes === 0 || acceptedBytes !== this.#acceptedBytes) this.#acceptedMs = nowMs;
    this.#acceptedBytes = acceptedBytes;
    const measuredMs = nowMs - this.#measuredMs;
    const tooSlow = (acceptedBytes - this.#measuredBytes) * 1000 < min_rate * measuredMs;
    if (queuedBytes === 0 || (measuredMs > timeoutMs && !tooSlow)) {
      this.#measuredMs = nowMs;
      this.#measuredBytes = acceptedBytes;
      return false;
    }
    return timeoutMs > 0 && (nowMs - this.#acceptedMs > timeoutMs || measuredMs > timeoutMs);
  }

  #tooSlow(nowMs: number): boolean {
    const { body_timeout, min_rate } = this.limits;
    if (min_rate === 0) return false;
    const graceMs = body_timeout === 0 ? RATE_GRACE_MS : Math.min(RATE_GRACE_MS, body_timeout);
    const waitedMs = this.#bodyWaitedMs + nowMs - this.#sinceMs;
    return waitedMs > graceMs + this.#bodyBytes * 1000 / min_rate;
  }

  #await(what: Awaited, timeoutMs: number): void {
    this.#awaited = what;
    this.#sinceMs = this.#clock.nowMs;
    // Without a limit the wait is noted all the same: the rate of a body has one of its own.
    this.#deadlineMs = timeoutMs === 0 ? Infinity : this.#sinceMs + timeoutMs;
  }
}
