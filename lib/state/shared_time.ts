/**
 * The time in shared memory: whole milliseconds, the same in each worker. As 64-bit numbers they do not wrap around: 32
 * bits would after 49 days, and a time that passed 24 days ago would be in the future again.
 *
 * @module
 */

/** The time of a clock at one moment. */
export interface TimeSnapshot {
  /** The time of the clock. */
  readonly nowMs: number;
  /** The moment, in milliseconds since 1970. */
  readonly wallMs: number;
}

const LONGEST_LOAD_MS = 10_000;

/** A clock whose time is taken once for many readers. */
export class SharedTime {
  /** The time when it was last taken. */
  nowMs = 0;
  #offsetMs = 0;
  #readMs = (): number => performance.now();

  /** The time in milliseconds of `performance.now()`. {@linkcode nowMs} stays as it is. */
  get realMs(): number {
    return this.#readMs();
  }

  /** Reads the time by a function that is quicker than `performance.now()`, and returns the same. */
  readBy(readMs: () => number): void {
    this.#readMs = readMs;
  }

  /** Takes the time. */
  refresh(): number {
    this.take();
    return this.nowMs;
  }

  /** Takes the time. In milliseconds of `performance.now()`. */
  take(): number {
    const realMs = this.#readMs();
    this.nowMs = Math.floor(realMs + this.#offsetMs);
    return realMs;
  }

  /** A snapshot with which another worker sets its clock. */
  get snapshot(): TimeSnapshot {
    return { nowMs: this.refresh(), wallMs: Date.now() };
  }

  /** Sets this worker's clock from another's, so that both write and read the same times. */
  align({ nowMs, wallMs }: TimeSnapshot): void {
    // A snapshot travels for as long as its worker takes to load. The machine's clock may be set meanwhile; no worker
    // takes longer than this bound to load.
    const ageMs = Math.min(Math.max(0, Date.now() - wallMs), LONGEST_LOAD_MS);
    this.#offsetMs = nowMs + ageMs - this.#readMs();
    this.refresh();
  }
}

/** This worker's clock for shared fields. */
export const sharedTime = new SharedTime();
