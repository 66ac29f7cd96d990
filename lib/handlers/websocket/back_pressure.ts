/**
 * The messages that are queued for one end of a relay. Above the limit, the other end is paused until the queue has
 * shrunk; if the queue no longer shrinks, the end is stalled.
 *
 * @module
 */

import type { WebSocketConfig } from "../proxy/config/websocket_schema.ts";
import type { SocketEnd } from "./socket_end.ts";

/** Limits of a queue; an `idle_timeout` of 0 means one minute. */
export type BackPressureConfig = Pick<WebSocketConfig, "max_buffered" | "idle_timeout">;

/** The queued messages of one end. Owned by its relay. */
export class BackPressure {
  readonly #target: SocketEnd;
  readonly #source: SocketEnd;
  readonly #config: BackPressureConfig;
  #paused = false;
  #pausable = true;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #delayMs = 0;
  #seenBytes = 0;
  #progressMs = 0;

  /** Watches the messages from `source` that are queued for `target`. */
  constructor(target: SocketEnd, source: SocketEnd, config: BackPressureConfig) {
    this.#target = target;
    this.#source = source;
    this.#config = config;
  }

  /** Whether another message may be sent: false above the limit if the source cannot be paused. */
  get bounded(): boolean {
    return this.#pausable || this.#target.bufferedBytes <= this.#config.max_buffered;
  }

  /** Called within the source's `onMessage` after a message was sent to the target. */
  grown(): void {
    if (this.#paused || this.#target.bufferedBytes <= this.#config.max_buffered) return;
    this.#pausable = this.#source.pause();
    if (!this.#pausable) return;
    this.#paused = true;
    this.#delayMs = 1;
    this.#wait();
  }

  /** Whether the target has accepted nothing for too long. Called on each tick. */
  stalled(nowMs: number): boolean {
    const bytes = this.#target.bufferedBytes;
    if (bytes === 0 || bytes < this.#seenBytes || this.#seenBytes === 0) this.#progressMs = nowMs;
    this.#seenBytes = bytes;
    // The runtime reports progress only for complete messages, so that a large one on a slow connection looks like a
    // stall.
    const toleranceMs = (this.#config.idle_timeout || DEFAULT_TOLERANCE_MS) + bytes / SLOWEST_BYTES_PER_MS;
    return nowMs - this.#progressMs > toleranceMs;
  }

  /** Stops the timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  // The runtime does not report when a socket has sent its queued bytes. So the amount is polled: often while it
  // shrinks, and less and less often while it does not.
  #wait(): void {
    const before = this.#target.bufferedBytes;
    this.#timer = setTimeout(() => {
      const now = this.#target.bufferedBytes;
      if (now <= this.#config.max_buffered / 2) {
        this.#paused = false;
        this.#source.resume();
        return;
      }
      this.#delayMs = now < before ? 1 : Math.min(this.#delayMs * 2, MAX_DELAY_MS);
      this.#wait();
    }, this.#delayMs);
  }
}

const MAX_DELAY_MS = 32;
const DEFAULT_TOLERANCE_MS = 60_000;
const SLOWEST_BYTES_PER_MS = 64;
