/**
 * What is known of one upstream in all workers: fields that they share, read and written with `Atomics` only. No field is
 * guarded by another; each change that matters once (an ejection, a breaker that trips) is one compare-and-exchange on
 * {@linkcode FLAGS}, and whoever wins it reports it.
 *
 * @module
 */

/** The memory of one upstream. */
export interface UpstreamMemory {
  /** Flags and counts, for `Atomics`. */
  readonly fields: Int32Array;
  /**
   * Times in milliseconds. Plain stores: an aligned 8-byte value is read whole on every machine that Deno runs on, and each
   * is written before the flag that leads others to it.
   */
  readonly times: Float64Array;
}

/** When the last failure in a row was. */
export const FAILED_AT = 0;
/** When the ejection ends. */
export const EJECTED_UNTIL = 1;
/** How long it lasts. */
export const EJECTED_FOR = 2;
/** When an open breaker lets trials through. */
export const OPEN_UNTIL = 3;
/** When its slow start began. */
export const SLOW_START_AT = 4;
/** When {@linkcode LATENCY_US} was last brought up to date. */
export const LATENCY_AT = 5;
const TIMES = 6;

/** Attempts under way. The first fields hold the times. */
export const IN_FLIGHT = 2 * TIMES;
/** Bits of `Flag`. */
export const FLAGS = IN_FLIGHT + 1;
/** Attempts under way that decide whether it may serve again. */
export const TRIALS = IN_FLIGHT + 2;
/** Failures in a row. */
export const FAILS = IN_FLIGHT + 3;
/** Ejections that still count for how long the next one lasts. */
export const EJECTIONS = IN_FLIGHT + 4;
/** Why it was ejected: an index of `FAILURE_CLASSES`. */
export const EJECTED_BY = IN_FLIGHT + 5;
/** Trials of the breaker that went well. */
export const TRIALS_PASSED = IN_FLIGHT + 6;
/** Weight that an operator gave it; 0 for the config's. */
export const WEIGHT = IN_FLIGHT + 7;
/** Peak EWMA of the time to the response's head, in microseconds; 0 before the first. */
export const LATENCY_US = IN_FLIGHT + 8;
/** First of the breaker's window: {@linkcode WINDOW_BUCKETS} buckets of {@linkcode BUCKET_FIELDS}. */
export const WINDOW = IN_FLIGHT + 9;
/** Buckets of the breaker's window. */
export const WINDOW_BUCKETS = 10;
/** Fields of a bucket: its turn, attempts, failures, slow ones. */
export const BUCKET_FIELDS = 4;
/** First of the workers' own counts: in flight and trials of each, so that a dead worker's can be taken off. */
const OWN = WINDOW + WINDOW_BUCKETS * BUCKET_FIELDS;
const OWN_FIELDS = 2;

/** The memory of an upstream whose fields are `fields`; they begin at a multiple of 8 bytes. */
export function memoryOf(fields: Int32Array): UpstreamMemory {
  return { fields, times: new Float64Array(fields.buffer, fields.byteOffset, TIMES) };
}

/** How many fields an upstream takes, for `workers` workers. */
export function upstreamFieldCount(workers: number): number {
  return OWN + OWN_FIELDS * workers;
}

/**
 * Where a worker counts its own attempts in flight, and behind that its own trials; 0 when it is the only one, which needs
 * no counts of its own.
 */
export function ownCountsAt({ index, count }: { readonly index: number; readonly count: number }): number {
  return count > 1 ? OWN + OWN_FIELDS * index : 0;
}

/**
 * Sets and clears flags in one step.
 *
 * @param change `from` are flags of which one must be set, or nothing is done: another worker was quicker.
 * @returns Whether this call made the change: false when it was made already.
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
 * Takes off what a worker that is gone had counted in.
 *
 * @param worker Its index, from 0.
 */
export function clearWorkerCounts(fields: Int32Array, worker: number): void {
  const own = OWN + OWN_FIELDS * worker;
  Atomics.sub(fields, IN_FLIGHT, Atomics.exchange(fields, own, 0));
  Atomics.sub(fields, TRIALS, Atomics.exchange(fields, own + 1, 0));
}
