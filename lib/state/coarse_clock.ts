/**
 * One timer for all deadlines. A timer for each request would cost more than the request's own bookkeeping, and
 * deadlines of seconds do not need its precision: all deadlines are checked on each tick.
 *
 * @module
 */

/** Something with deadlines. */
export interface Watched {
  /** Called on each tick. `nowMs` is the clock's time; must not throw. */
  tick(nowMs: number): void;
}

/** A clock that moves in ticks while something is watched, and holds no timer otherwise. */
export class CoarseClock {
  /** Milliseconds on this clock, behind real time by one tick at most. Only differences are meaningful. */
  nowMs = 0;
  readonly #tickMs: number;
  readonly #longestTickMs: number;
  readonly #watched = new Set<Watched>();
  #lastRealMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param tickMs Time between ticks, in milliseconds: the precision of every deadline.
   * @param longestTickMs The most that one tick counts, however late it comes, in milliseconds.
   */
  constructor(tickMs = 50, longestTickMs = 5 * tickMs) {
    this.#tickMs = tickMs;
    this.#longestTickMs = longestTickMs;
  }

  /** The time now, also between two ticks; that of the last tick while nothing is watched. */
  get preciseMs(): number {
    if (this.#timer === undefined) return this.nowMs;
    return this.nowMs + Math.min(performance.now() - this.#lastRealMs, this.#longestTickMs);
  }

  /** Calls `watched.tick` from now on. */
  watch(watched: Watched): void {
    this.#watched.add(watched);
    if (this.#timer !== undefined) return;
    this.#lastRealMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    // Deadlines alone do not keep a process alive; the sockets that they guard do.
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Stops the calls to `watched.tick`. */
  unwatch(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0 || this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const realMs = performance.now();
    // After a pause of the whole process (suspended, a stopped virtual machine, a busy event loop) the peers were not
    // silent: their bytes may be in the sockets' buffers. So the time does not jump.
    this.nowMs += Math.min(realMs - this.#lastRealMs, this.#longestTickMs);
    this.#lastRealMs = realMs;
    for (const watched of this.#watched) watched.tick(this.nowMs);
  }
}
