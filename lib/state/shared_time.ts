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
  /** Number of the batch of events that is being handled; 0 while none is. */
  batch = 0;
  #offsetMs = 0;
  #batches = 0;
  /** When the batch of events began that is being handled; -1 while none is. */
  #batchMs = -1;
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
    this.#read();
    return this.nowMs;
  }

  /**
   * When what is being handled happened, in milliseconds of `performance.now()`: while a batch of events is handled the time
   * at which it was taken from the system, else the time.
   */
  take(): number {
    return this.#batchMs >= 0 ? this.#batchMs : this.#read();
  }

  /** A batch of events was taken from the system. Returns the time in milliseconds of `performance.now()`. */
  beginBatch(): number {
    // Never 0, and an integer that needs no memory of its own, however long the process runs.
    this.batch = this.#batches = this.#batches % 0x3fff_ffff + 1;
    return this.#batchMs = this.#read();
  }

  /** The batch is handled. */
  endBatch(): void {
    this.#batchMs = -1;
    this.batch = 0;
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

  #read(): number {
    const realMs = this.#readMs();
    this.nowMs = Math.floor(realMs + this.#offsetMs);
    return realMs;
  }
}

/** This worker's clock for shared fields. */
export const sharedTime = new SharedTime();
