/**
 * A timer that does not count the time in which this process was held up: the answer may be waiting in the socket. A proxy
 * that is overloaded must not take its upstreams for dead, all at once.
 *
 * @module
 */

import { CoarseClock, type Watched } from "./coarse_clock.ts";

const TICK_MS = 50;

/** Counts a tick that comes late as one and a half: each turn of a busy event loop is one in which little could be done. */
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

  /** Looks whether its time is over. */
  tick(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    CLOCK.unwatch(this);
    // What has come meanwhile is looked at first.
    this.#last = setTimeout(this.#then, 0);
  }
}
