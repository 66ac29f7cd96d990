/**
 * A timer that does not count the time in which this process was held up: the answer may be waiting in the socket. A proxy
 * that is overloaded must not take its upstreams for dead, all at once.
 *
 * @module
 */

/** Most steps in which the time is counted. */
const STEP_MS = 50;

/** Runs out after a time of its own. */
export class PatientTimer {
  readonly #then: () => void;
  readonly #stepMs: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #last: ReturnType<typeof setTimeout> | undefined;
  #leftMs: number;
  #lastMs = performance.now();

  /**
   * Starts it. It keeps no process alive.
   *
   * @param then Called once, when it has run out.
   * @param ms How long it runs, in milliseconds in which this process runs freely.
   */
  constructor(then: () => void, ms: number) {
    this.#then = then;
    this.#leftMs = ms;
    this.#stepMs = Math.min(STEP_MS, ms);
    this.#timer = setInterval(() => this.#step(), this.#stepMs);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Stops it. */
  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#last);
  }

  // A step that comes late counts as one and a half: each turn of a busy event loop is one in which little could be done.
  #step(): void {
    const nowMs = performance.now();
    this.#leftMs -= Math.min(nowMs - this.#lastMs, 1.5 * this.#stepMs);
    this.#lastMs = nowMs;
    // What has come meanwhile is looked at first.
    if (this.#leftMs > 0) return;
    this.stop();
    this.#last = setTimeout(this.#then, 0);
  }
}
