/**
 * The circuit breaker of one upstream: closed in normal operation, open after too large a share of failures, half open
 * while a few trials decide whether it closes.
 *
 * @module
 */

import { sharedTime } from "../../state/shared_time.ts";
import type { CircuitBreakerConfig } from "../config/resilience_schema.ts";
import {
  BUCKET_FIELDS,
  changeFlags,
  FLAGS,
  OPEN_UNTIL,
  SLOW_START_AT,
  TRIALS_PASSED,
  type UpstreamMemory,
  WINDOW,
  WINDOW_BUCKETS,
} from "./condition_fields.ts";
import { Flag } from "./upstream_states.ts";

/** How an attempt changed a breaker. */
export type BreakerChange = "opened" | "closed" | undefined;

/** Counts one upstream's attempts. Its fields belong to the upstream. */
export class CircuitBreaker {
  /** Attempts at a time while half open. */
  readonly trialRequests: number;
  readonly #fields: Int32Array;
  readonly #times: Float64Array;
  readonly #config: CircuitBreakerConfig;
  /** A response whose head takes longer is slow. */
  readonly #slowAfterMs: number;
  readonly #window: RollingWindow;

  /** Counts in `memory`, which other workers may share. */
  constructor({ fields, times }: UpstreamMemory, config: CircuitBreakerConfig) {
    this.trialRequests = config.trial_requests;
    this.#fields = fields;
    this.#times = times;
    this.#config = config;
    this.#slowAfterMs = config.slow_after || Infinity;
    this.#window = new RollingWindow(fields, config.window);
  }

  /**
   * Counts the outcome of an attempt.
   *
   * @param failed Whether it counts against the upstream.
   * @param latencyMs Time to the response's head.
   * @param trial Whether the attempt was a trial.
   */
  record(failed: boolean, latencyMs: number, trial = true): BreakerChange {
    const slow = latencyMs > this.#slowAfterMs;
    const flags = Atomics.load(this.#fields, FLAGS);
    // The attempt began before the breaker opened and is no new evidence.
    if ((flags & Flag.breaker_open) !== 0) return undefined;
    if ((flags & Flag.breaker_half_open) !== 0 && !trial) return undefined;
    if ((flags & Flag.breaker_half_open) !== 0) {
      return failed || slow ? this.#open(Flag.breaker_half_open) : this.#passed();
    }
    const nowMs = sharedTime.refresh();
    this.#window.count(nowMs, failed, slow);
    if ((failed || slow) && this.#tripped(this.#window.counts(nowMs))) return this.#open(0);
    return undefined;
  }

  /** Changes from open to half open when it is time. Returns whether trials are allowed. */
  reconsider(nowMs: number): boolean {
    if (this.#times[OPEN_UNTIL] > nowMs) return false;
    Atomics.store(this.#fields, TRIALS_PASSED, 0);
    changeFlags(this.#fields, { from: Flag.breaker_open, clear: Flag.breaker_open, set: Flag.breaker_half_open });
    return true;
  }

  #tripped({ total, failed, slow }: WindowCounts): boolean {
    const { min_requests, failure_ratio, slow_ratio } = this.#config;
    if (total < min_requests) return false;
    return failed >= failure_ratio * total || (this.#slowAfterMs !== Infinity && slow >= slow_ratio * total);
  }

  #open(clear: number): BreakerChange {
    // Published before the flag: a worker that sees the flag reads this time.
    this.#times[OPEN_UNTIL] = sharedTime.refresh() + this.#config.open_for;
    return changeFlags(this.#fields, { set: Flag.breaker_open, clear: clear | Flag.slow_start }) ? "opened" : undefined;
  }

  #passed(): BreakerChange {
    if (Atomics.add(this.#fields, TRIALS_PASSED, 1) + 1 < this.trialRequests) return undefined;
    this.#window.clear();
    this.#times[SLOW_START_AT] = sharedTime.refresh();
    const closed = changeFlags(this.#fields, {
      from: Flag.breaker_half_open,
      clear: Flag.breaker_half_open,
      set: Flag.slow_start,
    });
    return closed ? "closed" : undefined;
  }
}

const TURN = 0;
const TOTAL = 1;
const FAILED = 2;
const SLOW = 3;

/** Counts of the window. */
export interface WindowCounts {
  total: number;
  failed: number;
  slow: number;
}

/**
 * Counts of the attempts of the last seconds, in buckets. A worker that is late by the whole window may clear a bucket
 * that another has just begun: counts may be lost then, but never too high.
 */
export class RollingWindow {
  readonly #fields: Int32Array;
  readonly #bucketMs: number;

  /** @param windowMs Its length, in milliseconds. */
  constructor(fields: Int32Array, windowMs: number) {
    this.#fields = fields;
    this.#bucketMs = Math.max(1, windowMs / WINDOW_BUCKETS);
  }

  /** Counts an attempt. */
  count(nowMs: number, failed: boolean, slow: boolean): void {
    const fields = this.#fields;
    const turn = this.#turn(nowMs);
    const at = WINDOW + (turn % WINDOW_BUCKETS) * BUCKET_FIELDS;
    const seen = Atomics.load(fields, at + TURN);
    // The field holds the low 32 bits of the turn.
    if (seen !== (turn | 0) && Atomics.compareExchange(fields, at + TURN, seen, turn | 0) === seen) {
      for (const field of [TOTAL, FAILED, SLOW]) Atomics.store(fields, at + field, 0);
    }
    Atomics.add(fields, at + TOTAL, 1);
    if (failed) Atomics.add(fields, at + FAILED, 1);
    if (slow) Atomics.add(fields, at + SLOW, 1);
  }

  /** The sums of the window. */
  counts(nowMs: number): WindowCounts {
    const fields = this.#fields;
    const turn = this.#turn(nowMs);
    const sum = { total: 0, failed: 0, slow: 0 };
    for (let bucket = 0; bucket < WINDOW_BUCKETS; bucket++) {
      const at = WINDOW + bucket * BUCKET_FIELDS;
      const age = (turn - Atomics.load(fields, at + TURN)) | 0;
      if (age < 0 || age >= WINDOW_BUCKETS) continue;
      sum.total += Atomics.load(fields, at + TOTAL);
      sum.failed += Atomics.load(fields, at + FAILED);
      sum.slow += Atomics.load(fields, at + SLOW);
    }
    return sum;
  }

  /** Resets all counts. */
  clear(): void {
    for (let field = WINDOW; field < WINDOW + WINDOW_BUCKETS * BUCKET_FIELDS; field++) {
      Atomics.store(this.#fields, field, 0);
    }
  }

  // Never 0, which is the value of unused fields.
  #turn(nowMs: number): number {
    return Math.floor(nowMs / this.#bucketMs) + 1;
  }
}
