/**
 * A timer that does not count the time in which this process was blocked: the awaited bytes may be in the socket's
 * buffer. An overloaded proxy must not take all its upstreams for unavailable at once.
 *
 * @module
 */

import { CoarseClock, type Watched } from "./coarse_clock.ts";

const TICK_MS = 50;

/** A late tick counts as one and a half at most: in a busy event loop, little input was processed in the meantime. */
const CLOCK = new CoarseClock(TICK_MS, 1.5 * TICK_MS);

/** Runs out after a time of its own, up to a tick late. Thousands share one timer of the runtime. */
export class StallTolerantTimer implements Watched {
  readonly #then: () => void;
  readonly #deadlineMs: number;
  #last: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts it. It keeps no process alive.
   *
   * @param then Called once, when it has run out.
   * @param ms How long it runs, in milliseconds in which this process runs freely.
   */
  constructor(then: () => void, ms: number) {
    this.#then = then;
    CLOCK.watch(this);
    this.#deadlineMs = CLOCK.preciseMs + ms;
  }

  /** Stops it. */
  stop(): void {
    CLOCK.unwatch(this);
    clearTimeout(this.#last);
  }

  /** Checks whether the time is over. */
  tick(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    CLOCK.unwatch(this);
    // Input that has arrived meanwhile is processed first.
    this.#last = setTimeout(this.#then, 0);
  }
}
