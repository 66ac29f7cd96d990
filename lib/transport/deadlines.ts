/**
 * The bounds on silence of one connection, looked at on each tick of the coarse clock.
 *
 * @module
 */

import type { CoarseClock } from "../state/coarse_clock.ts";
import { TransportFailure } from "./failure.ts";

/** Bounds on silence, in milliseconds. */
export interface SilenceLimits {
  /** Longest silence of the upstream while its answer is awaited or read. */
  readonly readTimeoutMs: number;
  /** Longest time that the upstream takes no bytes. */
  readonly writeTimeoutMs: number;
  /** Longest time that the client neither sends its body nor takes the answer. */
  readonly clientTimeoutMs: number;
}

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

  /** Waits for nothing yet. */
  constructor(clock: CoarseClock, limits: SilenceLimits) {
    this.#clock = clock;
    this.limits = limits;
  }

  /** The upstream is to speak. */
  awaitRead(): void {
    this.#readMs = this.#clock.nowMs + this.limits.readTimeoutMs;
  }

  /** It spoke, or nobody listens any more. */
  endRead(): void {
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

  /** The client is to send more of its body. A bound of its own: it may be taking the answer meanwhile. */
  awaitUpload(): void {
    this.#uploadMs = this.#clock.nowMs + this.limits.clientTimeoutMs;
  }

  /** It did. */
  endUpload(): void {
    this.#uploadMs = 0;
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
    if (this.#readMs !== 0) this.awaitRead();
  }

  /** The failure of whoever has been silent for too long, or undefined. */
  expired(nowMs: number): TransportFailure | undefined {
    const { readTimeoutMs, writeTimeoutMs, clientTimeoutMs } = this.limits;
    // One that takes nothing has nothing to answer: the first cause is told.
    if (this.#writeMs !== 0 && nowMs > this.#writeMs) {
      return new TransportFailure("write_timeout", `The upstream took no bytes for ${writeTimeoutMs} ms`);
    }
    if (this.#readMs !== 0 && !this.uploading && nowMs > this.#readMs) {
      return new TransportFailure("read_timeout", `The upstream was silent for ${readTimeoutMs} ms`);
    }
    if ((this.#clientMs !== 0 && nowMs > this.#clientMs) || (this.#uploadMs !== 0 && nowMs > this.#uploadMs)) {
      return new TransportFailure("client_timeout", `The client neither sent nor took bytes for ${clientTimeoutMs} ms`);
    }
    return undefined;
  }
}
