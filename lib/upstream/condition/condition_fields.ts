/**
 * The shared state of one upstream: fields of all workers, which read and write them with `Atomics`. There are no locks:
 * each change that is reported once (an ejection, a breaker that trips) is one compare-and-exchange on {@linkcode
 * FLAGS}, and the worker that succeeds reports it.
 *
 * @module
 */

import { isShared } from "../../state/shared_state.ts";

/** The memory of one upstream. */
export interface UpstreamMemory {
  /** Flags and counts, for `Atomics`. */
  readonly fields: Int32Array;
  /**
   * Times in milliseconds. Plain stores: an aligned 8-byte value is never torn on a machine that Deno runs on, and each
   * is written before the flag that makes other workers read it.
   */
  readonly times: Float64Array;
  /** Whether other workers have it too. */
  readonly shared: boolean;
}

/** When the last failure in a row was. */
export const FAILED_AT = 0;
/** When the ejection ends. */
export const EJECTED_UNTIL = 1;
/** How long it lasts. */
export const EJECTED_FOR = 2;
/** When an open breaker allows trials. */
export const OPEN_UNTIL = 3;
/** When its slow start began. */
export const SLOW_START_AT = 4;
/** When {@linkcode LATENCY_US} was last updated. */
export const LATENCY_AT = 5;
const TIMES = 6;

/** Attempts in flight. The fields before it hold the times. */
export const IN_FLIGHT = 2 * TIMES;
/** Bits of `Flag`. */
export const FLAGS = IN_FLIGHT + 1;
/** Trials in flight. */
export const TRIALS = IN_FLIGHT + 2;
/** Failures in a row. */
export const FAILS = IN_FLIGHT + 3;
/** Ejections that still lengthen the next one. */
export const EJECTIONS = IN_FLIGHT + 4;
/** Why it was ejected: an index of `FAILURE_CLASSES`. */
export const EJECTED_BY = IN_FLIGHT + 5;
/** Trials of the breaker that succeeded. */
export const TRIALS_PASSED = IN_FLIGHT + 6;
/** Weight set by an operator; 0 for the config's. */
export const WEIGHT = IN_FLIGHT + 7;
/** Peak EWMA of the time to the response's head, in microseconds; 0 before the first. */
export const LATENCY_US = IN_FLIGHT + 8;
/** First of the breaker's window: {@linkcode WINDOW_BUCKETS} buckets of {@linkcode BUCKET_FIELDS}. */
export const WINDOW = IN_FLIGHT + 9;
/** Buckets of the breaker's window. */
export const WINDOW_BUCKETS = 10;
/** Fields of a bucket: its turn, attempts, failures, slow ones. */
export const BUCKET_FIELDS = 4;
/** First of the workers' own counts: in flight and trials of each, so that those of a dead worker can be subtracted. */
const OWN = WINDOW + WINDOW_BUCKETS * BUCKET_FIELDS;
const OWN_FIELDS = 2;

/** The memory of an upstream whose fields are `fields`; they begin at a multiple of 8 bytes. */
export function memoryOf(fields: Int32Array): UpstreamMemory {
  const times = new Float64Array(fields.buffer, fields.byteOffset, TIMES);
  return { fields, times, shared: isShared(fields) };
}

/** How many fields an upstream takes, for `workers` workers. */
export function upstreamFieldCount(workers: number): number {
  return OWN + OWN_FIELDS * workers;
}

/**
 * Index of a worker's own attempts in flight; its own trials follow. 0 when it is the only worker, which needs no
 * counts of its own.
 */
export function ownCountsAt({ index, count }: { readonly index: number; readonly count: number }): number {
  return count > 1 ? OWN + OWN_FIELDS * index : 0;
}

/**
 * Sets and clears flags in one step.
 *
 * @param change One flag of `from` must be set; otherwise another worker has made the change, and nothing is done.
 * @returns Whether this call made the change.
 */
export function changeFlags(
  fields: Int32Array,
  { set = 0, clear = 0, from = 0 }: { set?: number; clear?: number; from?: number },
): boolean {
  for (;;) {
    const before = Atomics.load(fields, FLAGS);
    if (from !== 0 && (before & from) === 0) return false;
    const after = (before & ~clear) | set;
    if (after === before) return false;
    if (Atomics.compareExchange(fields, FLAGS, before, after) === before) return true;
  }
}

/**
 * Subtracts the counts of a worker that has ended.
 *
 * @param worker Its index, from 0.
 */
export function clearWorkerCounts(fields: Int32Array, worker: number): void {
  const own = OWN + OWN_FIELDS * worker;
  Atomics.sub(fields, IN_FLIGHT, Atomics.exchange(fields, own, 0));
  Atomics.sub(fields, TRIALS, Atomics.exchange(fields, own + 1, 0));
}
