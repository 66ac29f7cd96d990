/**
 * The circuit breaker of one upstream: closed while things go well, open after too large a share of failures, half open
 * when it lets a few attempts find out whether that is over.
 *
 * @module
 */

import { sharedTime } from "../state/shared_time.ts";
import { RollingWindow, type WindowCounts } from "./rolling_window.ts";
import { changeFlags, Flag, FLAGS, OPEN_UNTIL, RISEN_AT, TRIALS_PASSED, type UpstreamRow } from "./upstream_cells.ts";

/** When a breaker trips, and how it recovers. */
export interface CircuitBreakerOptions {
  /** Share of failed attempts that trips it, above 0 to 1. */
  readonly failureRatio: number;
  /** Attempts that the window must hold before it may trip. */
  readonly minRequests: number;
  /** Length of the window, in milliseconds. */
  readonly windowMs: number;
  /** How long it stays open, in milliseconds. */
  readonly openForMs: number;
  /** An answer whose head takes longer is slow, in milliseconds; 0 for never. */
  readonly slowAfterMs: number;
  /** Share of slow attempts that trips it, above 0 to 1. */
  readonly slowRatio: number;
  /** Attempts at a time while half open, and good ones that close it. */
  readonly trialRequests: number;
}

/** What an attempt did to a breaker. */
export type BreakerChange = "opened" | "closed" | undefined;

/** Watches one upstream's attempts. Its cells belong to the upstream. */
export class CircuitBreaker {
  /** Attempts at a time while half open. */
  readonly trialRequests: number;
  readonly #cells: Int32Array;
  readonly #times: Float64Array;
  readonly #options: CircuitBreakerOptions;
  readonly #window: RollingWindow;

  /** Counts in `row`, which other workers may share. */
  constructor({ cells, times }: UpstreamRow, options: CircuitBreakerOptions) {
    this.trialRequests = options.trialRequests;
    this.#cells = cells;
    this.#times = times;
    this.#options = options;
    this.#window = new RollingWindow(cells, options.windowMs);
  }

  /**
   * Counts the outcome of an attempt.
   *
   * @param failed Whether it counts against the upstream.
   * @param latencyMs Time to the answer's head.
   * @param trial Whether it was one of those that find out whether it may close.
   */
  record(failed: boolean, latencyMs: number, trial = true): BreakerChange {
    const { slowAfterMs } = this.#options;
    const slow = slowAfterMs > 0 && latencyMs > slowAfterMs;
    const flags = Atomics.load(this.#cells, FLAGS);
    // What began before it opened tells nothing new.
    if ((flags & Flag.open) !== 0) return undefined;
    if ((flags & Flag.halfOpen) !== 0 && !trial) return undefined;
    if ((flags & Flag.halfOpen) !== 0) return failed || slow ? this.#open(Flag.halfOpen) : this.#passed();
    const nowMs = sharedTime.refresh();
    this.#window.count(nowMs, failed, slow);
    if ((failed || slow) && this.#tripped(this.#window.counts(nowMs))) return this.#open(0);
    return undefined;
  }

  /** Goes from open to half open when it is time. Whether trials may be made. */
  reconsider(nowMs: number): boolean {
    if (this.#times[OPEN_UNTIL] > nowMs) return false;
    Atomics.store(this.#cells, TRIALS_PASSED, 0);
    changeFlags(this.#cells, { from: Flag.open, clear: Flag.open, set: Flag.halfOpen });
    return true;
  }

  #tripped({ total, failed, slow }: WindowCounts): boolean {
    const { minRequests, failureRatio, slowRatio, slowAfterMs } = this.#options;
    if (total < minRequests) return false;
    return failed >= failureRatio * total || (slowAfterMs > 0 && slow >= slowRatio * total);
  }

  #open(clear: number): BreakerChange {
    // Published before the flag: whoever sees the flag reads when it ends.
    this.#times[OPEN_UNTIL] = sharedTime.refresh() + this.#options.openForMs;
    return changeFlags(this.#cells, { set: Flag.open, clear: clear | Flag.rising }) ? "opened" : undefined;
  }

  #passed(): BreakerChange {
    if (Atomics.add(this.#cells, TRIALS_PASSED, 1) + 1 < this.#options.trialRequests) return undefined;
    this.#window.clear();
    this.#times[RISEN_AT] = sharedTime.refresh();
    const closed = changeFlags(this.#cells, { from: Flag.halfOpen, clear: Flag.halfOpen, set: Flag.rising });
    return closed ? "closed" : undefined;
  }
}
