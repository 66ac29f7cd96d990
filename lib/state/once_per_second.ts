/**
 * A rate limit of once a second, for log lines of frequent events.
 *
 * @module
 */

import { sharedTime } from "./shared_time.ts";

/** Allows one event a second. */
export class OncePerSecond {
  #lastMs = -Infinity;

  /** Whether the event may be reported now. */
  allows(): boolean {
    const nowMs = sharedTime.take();
    if (nowMs - this.#lastMs < 1000) return false;
    this.#lastMs = nowMs;
    return true;
  }
}
