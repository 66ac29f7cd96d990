/**
 * The timeouts of one connection, checked on each tick of the coarse clock.
 *
 * @module
 */

import type { CoarseClock } from "../../state/coarse_clock.ts";
import { TransportFailure } from "../../failure/failure.ts";

/** Timeouts in milliseconds. */
export interface SilenceLimits {
  /** Longest silence of the upstream while its response is awaited or read. */
  readonly readTimeoutMs: number;
  /** Longest time in which the upstream accepts no bytes. */
  readonly writeTimeoutMs: number;
  /** Longest time in which the client neither sends its body nor reads the response. */
  readonly clientTimeoutMs: number;
  /**
   * Lowest average rate of the client's body, in bytes a second; 0 for no limit.
   *
   * @default {0}
   */
  readonly minUploadRate?: number;
}

/** Waiting time for a client's body before its rate is checked, in milliseconds. */
const RATE_GRACE_MS = 20_000;

/** The deadlines of one connection: the upstream's, for reads and writes, and the client's. */
export class Deadlines {
  /** Whether a request body is being sent: the upstream's silence does not count then. */
  uploading = false;
  /** The limits of the current exchange. */
  limits: SilenceLimits;
  readonly #clock: CoarseClock;
  #readMs = 0;
  #writeMs = 0;
  #clientMs = 0;
  #uploadMs = 0;
  #rateMs = 0;
  #uploadSinceMs = 0;
  /** Whether the head of the response is awaited. */
  #head = false;

  constructor(clock: CoarseClock, limits: SilenceLimits) {
    this.#clock = clock;
    this.limits = limits;
  }

  /** Starts the deadline of the response's head: the whole head must arrive within it, however slowly it is sent. */
  awaitHead(): void {
    if (this.#head && this.#readMs !== 0) return;
    this.#head = true;
    this.#readMs = this.#clock.nowMs + this.limits.readTimeoutMs;
  }

  /** Starts the deadline of the next read. */
  awaitRead(): void {
    this.#head = false;
    this.#readMs = this.#clock.nowMs + this.limits.readTimeoutMs;
  }

  /** Ends the deadline of the read. */
  endRead(): void {
    this.#head = false;
    this.#readMs = 0;
  }

  /** Starts the deadline of a write. */
  awaitWrite(): void {
    this.#writeMs = this.#clock.nowMs + this.limits.writeTimeoutMs;
  }

  /** Ends the deadline of the write. */
  endWrite(): void {
    this.#writeMs = 0;
  }

  /**
   * Starts the deadline of the client's body. It is separate from that of the response, which the client may be
   * reading.
   *
   * @param sentBytes Bytes that the client has sent so far.
   * @param waitedMs Total time that the body was awaited until now.
   */
  awaitUpload(sentBytes: number, waitedMs: number): void {
    const { nowMs } = this.#clock;
    const { clientTimeoutMs, minUploadRate = 0 } = this.limits;
    this.#uploadSinceMs = nowMs;
    this.#uploadMs = nowMs + clientTimeoutMs;
    this.#rateMs = minUploadRate > 0 ? nowMs + RATE_GRACE_MS + 1000 * sentBytes / minUploadRate - waitedMs : Infinity;
  }

  /** Ends the deadline of the client's body. Returns how long the body was awaited, in milliseconds. */
  endUpload(): number {
    if (this.#uploadMs === 0) return 0;
    this.#uploadMs = 0;
    return this.#clock.nowMs - this.#uploadSinceMs;
  }

  /** Starts the deadline of the client's reading of the response. */
  awaitClient(): void {
    this.#clientMs = this.#clock.nowMs + this.limits.clientTimeoutMs;
  }

  /** Ends the deadline of the client's reading. */
  endClient(): void {
    this.#clientMs = 0;
  }

  /** The request's body was sent: from now on the upstream's silence counts. */
  uploaded(): void {
    this.uploading = false;
    if (this.#readMs === 0) return;
    this.#readMs = this.#clock.nowMs + this.limits.readTimeoutMs;
  }

  /** The failure of the deadline that has passed; undefined when none has. */
  expired(nowMs: number): TransportFailure | undefined {
    const { readTimeoutMs, writeTimeoutMs, clientTimeoutMs } = this.limits;
    // An upstream that accepts no bytes cannot respond either: the write timeout is the cause.
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
