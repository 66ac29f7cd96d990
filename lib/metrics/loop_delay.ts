/**
 * Delay of the event loop: how late a timer fires, over a time window. A blocked loop delays every exchange of this
 * worker, and no other metric shows it.
 *
 * `node:perf_hooks` has monitorEventLoopDelay, but under Deno 2.9.6 it does not see a loop that is blocked.
 *
 * @module
 */

/** Options of a {@linkcode LoopDelay}. */
export interface LoopDelayOptions {
  /**
   * Time between samples, in milliseconds.
   *
   * @default {100}
   */
  periodMs?: number;
  /**
   * Length of the window, in milliseconds.
   *
   * @default {10000}
   */
  windowMs?: number;
}

/** Delays over the window, in seconds. At rest they show the precision of timers, about a millisecond. */
export interface LoopDelaySnapshot {
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

const LOOP_DELAY_DEFAULTS = { periodMs: 100, windowMs: 10_000 } satisfies LoopDelayOptions;

/** The delays of the window. It has no timer: its owner calls {@linkcode LoopDelay.sample} periodically. */
export class LoopDelay {
  /** Time between samples, in milliseconds. */
  readonly periodMs: number;
  readonly #delaysMs: Float64Array;
  #taken = 0;
  #lastMs: number;

  /** @param nowMs Time of a clock that does not jump. */
  constructor(nowMs: number, options: LoopDelayOptions = {}) {
    const { periodMs, windowMs } = { ...LOOP_DELAY_DEFAULTS, ...options };
    this.periodMs = periodMs;
    this.#delaysMs = new Float64Array(Math.max(1, Math.ceil(windowMs / periodMs)));
    this.#lastMs = nowMs;
  }

  /** Takes the delay since the last sample, which was due one period later. */
  sample(nowMs: number): void {
    this.#delaysMs[this.#taken % this.#delaysMs.length] = Math.max(0, nowMs - this.#lastMs - this.periodMs);
    this.#taken++;
    this.#lastMs = nowMs;
  }

  /** Delays over the window; zero before the first sample. */
  read(): LoopDelaySnapshot {
    const sorted = this.#delaysMs.slice(0, this.#taken).sort();
    const at = (q: number) => (sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0) / 1000;
    return { p50Seconds: at(0.5), p99Seconds: at(0.99), maxSeconds: at(1) };
  }
}
