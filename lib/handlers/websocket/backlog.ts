/**
 * What waits for one end of a relay. When it grows beyond its bound, the end that it comes from is paused until it has
 * shrunk; when it no longer shrinks, its end is stalled.
 *
 * @module
 */

import type { SocketEnd } from "./socket_end.ts";

/** Bounds of a backlog. */
export interface BacklogOptions {
  /** Bytes beyond which its source is paused. */
  readonly maxBufferedBytes: number;
  /** Longest time without progress, in milliseconds; 0 for a minute. */
  readonly idleTimeoutMs: number;
}

/** The messages on their way to one end. Owned by its relay. */
export class Backlog {
  readonly #target: SocketEnd;
  readonly #source: SocketEnd;
  readonly #options: BacklogOptions;
  #paused = false;
  #pausable = true;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #delayMs = 0;
  #seenBytes = 0;
  #progressMs = 0;

  /** Watches over what comes from `source` and waits for `target`. */
  constructor(target: SocketEnd, source: SocketEnd, options: BacklogOptions) {
    this.#target = target;
    this.#source = source;
    this.#options = options;
  }

  /** Whether another message may be sent: false when there is too much, and the source cannot be paused. */
  get bounded(): boolean {
    return this.#pausable || this.#target.bufferedBytes <= this.#options.maxBufferedBytes;
  }

  /** A message was sent to the target; called within the source's `onMessage`. */
  grown(): void {
    if (this.#paused || this.#target.bufferedBytes <= this.#options.maxBufferedBytes) return;
    this.#pausable = this.#source.pause();
    if (!this.#pausable) return;
    this.#paused = true;
    this.#delayMs = 1;
    this.#wait();
  }

  /** Whether the target has taken nothing for too long; called on each tick. */
  stalled(nowMs: number): boolean {
    const bytes = this.#target.bufferedBytes;
    if (bytes === 0 || bytes < this.#seenBytes || this.#seenBytes === 0) this.#progressMs = nowMs;
    this.#seenBytes = bytes;
    // The runtime counts a message off when it is gone as a whole, so that a large one on a slow line looks like a stall.
    const patienceMs = (this.#options.idleTimeoutMs || DEFAULT_PATIENCE_MS) + bytes / SLOWEST_BYTES_PER_MS;
    return nowMs - this.#progressMs > patienceMs;
  }

  /** Lets go of its timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  // The runtime does not say when a socket has taken what it was given. So it is asked: often while it takes, and ever
  // less often while it does not.
  #wait(): void {
    const before = this.#target.bufferedBytes;
    this.#timer = setTimeout(() => {
      const now = this.#target.bufferedBytes;
      if (now <= this.#options.maxBufferedBytes / 2) {
        this.#paused = false;
        this.#source.resume();
        return;
      }
      this.#delayMs = now < before ? 1 : Math.min(this.#delayMs * 2, LONGEST_WAIT_MS);
      this.#wait();
    }, this.#delayMs);
  }
}

const LONGEST_WAIT_MS = 32;
const DEFAULT_PATIENCE_MS = 60_000;
const SLOWEST_BYTES_PER_MS = 64;
