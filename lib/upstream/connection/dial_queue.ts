/**
 * How many connections are dialled at a time. A burst of clients would otherwise open as many connections to one upstream in
 * the same moment: its queue of connections to accept overflows, and this process is busy with all of them before any is of
 * use. Connections that are kept cost nothing here.
 *
 * @module
 */

/** Most dials at a time to one upstream: fewer than any usual server has room for in its queue (128 to 4096). */
const DIALS_OF_AN_UPSTREAM = 100;
/** Most dials at a time in one worker. */
const DIALS_OF_A_WORKER = 500;

/** One that is to be dialled for. */
export interface DialEntry {
  /** Called when it is its turn, once. {@linkcode DialQueue.ended} must follow. */
  start(): void;
}

/** The bound of a worker. Owned by the process; one that is made for a single upstream bounds that alone. */
export class DialLimit {
  readonly #max: number;
  readonly #blocked = new Set<DialQueue>();
  #running = 0;

  /** @param max Most dials at a time. */
  constructor(max = DIALS_OF_A_WORKER) {
    this.#max = max;
  }

  /** Takes a place; when there is none, `queue` is told as soon as there is one. */
  take(queue: DialQueue): boolean {
    if (this.#running < this.#max) {
      this.#running++;
      return true;
    }
    this.#blocked.add(queue);
    return false;
  }

  /** Gives a place back. The queues that lack one take turns. */
  release(): void {
    this.#running--;
    for (const queue of this.#blocked) {
      this.#blocked.delete(queue);
      queue.advance();
      if (this.#running >= this.#max) return;
    }
  }
}

/** Dials to one upstream, oldest first. Owned by its connection pool. */
export class DialQueue {
  readonly #limit: DialLimit;
  readonly #max: number;
  readonly #waiting = new Set<DialEntry>();
  #running = 0;

  /** @param max Most dials at a time. */
  constructor(limit: DialLimit, max = DIALS_OF_AN_UPSTREAM) {
    this.#limit = limit;
    this.#max = max;
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Dials under way. */
  get running(): number {
    return this.#running;
  }

  /** Starts `entry` now, or when it is its turn. */
  add(entry: DialEntry): void {
    this.#waiting.add(entry);
    this.advance();
  }

  /** Takes `entry` out. Whether it was still waiting. */
  remove(entry: DialEntry): boolean {
    return this.#waiting.delete(entry);
  }

  /** A dial has ended. */
  ended(): void {
    this.#running--;
    this.#limit.release();
    this.advance();
  }

  /** Starts as many as may be. */
  advance(): void {
    for (const entry of this.#waiting) {
      if (this.#running >= this.#max || !this.#limit.take(this)) return;
      this.#running++;
      this.#waiting.delete(entry);
      entry.start();
    }
  }
}
