/**
 * The bounds on silence of one connection, looked at on each tick of the coarse clock.
 *
 * @module
 */

import type { CoarseClock } from "../../state/coarse_clock.ts";
import { TransportFailure } from "../../failure/failure.ts";

/** Bounds on silence, in milliseconds. */
export interface SilenceLimits {
  /** Longest silence of the upstream while its answer is awaited or read. */
  readonly readTimeoutMs: number;
  /** Longest time that the upstream takes no bytes. */
  readonly writeTimeoutMs: number;
  /** Longest time that the client neither sends its body nor takes the answer. */
  readonly clientTimeoutMs: number;
  /**
   * Lowest average rate at which the client sends its body, in bytes a second; 0 for none.
   *
   * @default {0}
   */
  readonly minUploadRate?: number;
}

/** Time that a client's body is waited for before its rate is looked at, in milliseconds. */
const RATE_GRACE_MS = 20_000;

/** What is being waited for, and until when. */
export class Deadlines {
  /** Whether a request body is being sent: the upstream's silence is then no fault of its own. */
  uploading = false;
  /** The bounds of the exchange that the connection is lent to. */
  limits: SilenceLimits;
  readonly #clock: CoarseClock;
  #readMs = 0;
  #writeMs = 0;
  #clientMs = 0;
  #uploadMs = 0;
  #rateMs = 0;
  #uploadSinceMs = 0;
  /** Whether it is the head of the answer that is awaited. */
  #head = false;

  /** Waits for nothing yet. */
  constructor(clock: CoarseClock, limits: SilenceLimits) {
    this.#clock = clock;
    this.limits = limits;
  }

  /** The upstream is to send the head of its answer: all of it within the time for its silence, however it drips. */
  awaitHead(): void {
    if (this.#head && this.#readMs !== 0) return;
    this.#head = true;
    this.#readMs = this.#clock.nowMs + this.limits.readTimeoutMs;
  }

  /** The upstream is to speak. */
  awaitRead(): void {
    this.#head = false;
    this.#readMs = this.#clock.nowMs + this.limits.readTimeoutMs;
  }

  /** It spoke, or nobody listens any more. */
  endRead(): void {
    this.#head = false;
    this.#readMs = 0;
  }

  /** The upstream is to take bytes. */
  awaitWrite(): void {
    this.#writeMs = this.#clock.nowMs + this.limits.writeTimeoutMs;
  }

  /** It took them. */
  endWrite(): void {
    this.#writeMs = 0;
  }

  /**
   * The client is to send more of its body. A bound of its own: it may be taking the answer meanwhile.
   *
   * @param sentBytes What it has sent so far.
   * @param waitedMs How long it was waited for until now.
   */
  awaitUpload(sentBytes: number, waitedMs: number): void {
    const { nowMs } = this.#clock;
    const { clientTimeoutMs, minUploadRate = 0 } = this.limits;
    this.#uploadSinceMs = nowMs;
    this.#uploadMs = nowMs + clientTimeoutMs;
    this.#rateMs = minUploadRate > 0 ? nowMs + RATE_GRACE_MS + 1000 * sentBytes / minUploadRate - waitedMs : Infinity;
  }

  /** It did. How long it was waited for, in milliseconds. */
  endUpload(): number {
    if (this.#uploadMs === 0) return 0;
    this.#uploadMs = 0;
    return this.#clock.nowMs - this.#uploadSinceMs;
  }

  /** The client is to take more of the answer. */
  awaitClient(): void {
    this.#clientMs = this.#clock.nowMs + this.limits.clientTimeoutMs;
  }

  /** It did. */
  endClient(): void {
    this.#clientMs = 0;
  }

  /** The request's body is sent: from now on the upstream's silence counts. */
  uploaded(): void {
    this.uploading = false;
    if (this.#readMs === 0) return;
    this.#readMs = this.#clock.nowMs + this.limits.readTimeoutMs;
  }

  /** The failure of whoever has been silent for too long, or undefined. */
  expired(nowMs: number): TransportFailure | undefined {
    const { readTimeoutMs, writeTimeoutMs, clientTimeoutMs } = this.limits;
    // One that takes nothing has nothing to answer: the first cause is told.
    if (this.#writeMs !== 0 && nowMs > this.#writeMs) {
      return new TransportFailure("write_timeout", `The upstream took no bytes for ${writeTimeoutMs} ms`);
    }
    if (this.#readMs !== 0 && !this.uploading && nowMs > this.#readMs) {
      const what = this.#head ? "sent no whole head" : "was silent";
      return new TransportFailure("read_timeout", `The upstream ${what} for ${readTimeoutMs} ms`);
    }
    if ((this.#clientMs !== 0 && nowMs > this.#clientMs) || (this.#uploadMs !== 0 && nowMs > this.#uploadMs)) {
      return new TransportFailure("client_timeout", `The client neither sent nor took bytes for ${clientTimeoutMs} ms`);
    }
    if (this.#uploadMs !== 0 && nowMs > this.#rateMs) {
      const { minUploadRate } = this.limits;
      return new TransportFailure("client_timeout", `The client sent its body at less than ${minUploadRate} bytes/s`);
    }
    return undefined;
  }
}
