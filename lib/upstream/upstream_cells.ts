/**
 * What is known of one upstream in all workers: a row of cells that they share, read and written with `Atomics` only. No
 * cell is guarded by another; each change that matters once (an ejection, a breaker that trips) is one compare-and-exchange
 * on {@linkcode FLAGS}, and whoever wins it reports it.
 *
 * @module
 */

/** The memory of one upstream. */
export interface UpstreamRow {
  /** Flags and counts, for `Atomics`. */
  readonly cells: Int32Array;
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
/** When it came back, for slow start. */
export const RISEN_AT = 4;
/** When {@linkcode LATENCY_US} was last brought up to date. */
export const LATENCY_AT = 5;
const TIMES = 6;

/** Attempts under way. The first cells hold the times. */
export const IN_FLIGHT = 2 * TIMES;
/** Bits of {@linkcode Flag}. */
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
/** Peak EWMA of the time to the answer's head, in microseconds; 0 before the first. */
export const LATENCY_US = IN_FLIGHT + 8;
/** First of the breaker's window: {@linkcode WINDOW_BUCKETS} buckets of {@linkcode BUCKET_CELLS}. */
export const WINDOW = IN_FLIGHT + 9;
/** Buckets of the breaker's window. */
export const WINDOW_BUCKETS = 10;
/** Cells of a bucket: its turn, attempts, failures, slow ones. */
export const BUCKET_CELLS = 4;
/** First of the workers' own counts: in flight and trials of each, so that a dead worker's can be taken back. */
export const OWN = WINDOW + WINDOW_BUCKETS * BUCKET_CELLS;
/** Cells of a worker's own counts. */
export const OWN_CELLS = 2;

/** Why an upstream may be out of use, and that it has just come back. */
export const Flag = {
  /** An operator lets it finish what it has. */
  draining: 1,
  /** An operator has taken it out. */
  maintenance: 2,
  /** Its probes fail. */
  probedDown: 4,
  /** Its attempts failed too often. */
  ejected: 8,
  /** Its breaker is open. */
  open: 16,
  /** Its breaker lets trials through. */
  halfOpen: 32,
  /** An ejection is over; one attempt at a time, until one goes well. */
  onTrial: 64,
  /** It came back and gets its share little by little. */
  rising: 128,
  /** Some generation has made it before. */
  known: 256,
} as const;

/** Flags with which an upstream is not simply available. */
export const UNAVAILABLE = Flag.draining | Flag.maintenance | Flag.probedDown | Flag.ejected | Flag.open |
  Flag.halfOpen |
  Flag.onTrial;

/** The memory of an upstream whose cells are `cells`; they begin at a multiple of 8 bytes. */
export function rowOf(cells: Int32Array): UpstreamRow {
  return { cells, times: new Float64Array(cells.buffer, cells.byteOffset, TIMES) };
}

/** How many cells an upstream takes, for `workers` workers. */
export function upstreamCellCount(workers: number): number {
  return OWN + OWN_CELLS * workers;
}

/**
 * Sets and clears flags in one step.
 *
 * @param change `from` are flags of which one must be set, or nothing is done: another worker was quicker.
 * @returns Whether this call made the change: false when it was made already.
 */
export function changeFlags(
  cells: Int32Array,
  { set = 0, clear = 0, from = 0 }: { set?: number; clear?: number; from?: number },
): boolean {
  for (;;) {
    const before = Atomics.load(cells, FLAGS);
    if (from !== 0 && (before & from) === 0) return false;
    const after = (before & ~clear) | set;
    if (after === before) return false;
    if (Atomics.compareExchange(cells, FLAGS, before, after) === before) return true;
  }
}

/**
 * Takes back what a worker that is gone had counted in.
 *
 * @param worker Its index, from 0.
 */
export function takeBackCounts(cells: Int32Array, worker: number): void {
  const own = OWN + OWN_CELLS * worker;
  Atomics.sub(cells, IN_FLIGHT, Atomics.exchange(cells, own, 0));
  Atomics.sub(cells, TRIALS, Atomics.exchange(cells, own + 1, 0));
}
