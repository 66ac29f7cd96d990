/**
 * What is said at most once a second, however often it happens.
 *
 * @module
 */

import { sharedTime } from "./shared_time.ts";

/** Allows one of many within a second. */
export class OncePerSecond {
  #lastMs = -Infinity;

  /** Whether it may be said now. */
  allows(): boolean {
    const nowMs = sharedTime.take();
    if (nowMs - this.#lastMs < 1000) return false;
    this.#lastMs = nowMs;
    return true;
  }
}
