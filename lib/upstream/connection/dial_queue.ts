/**
 * The dial queue: a limit on the connections that are dialled at a time. Otherwise a burst of clients opens as many
 * connections to one upstream at the same moment: its accept queue overflows, and this process works on all of them
 * before one is ready. Idle connections are not limited here.
 *
 * @module
 */

/** Most dials at a time to one upstream: fewer than the accept queue of usual servers (128 to 4096). */
const DIALS_OF_AN_UPSTREAM = 100;
/** Most dials at a time in one worker. */
const DIALS_OF_A_WORKER = 500;

/** An entry of the queue. */
export interface DialEntry {
  /** Called once, when it is the entry's turn. {@linkcode DialQueue.ended} must follow. */
  start(): void;
}

/** The limit of a worker. Owned by the process. */
export class DialLimit {
  readonly #max: number;
  readonly #blocked = new Set<DialQueue>();
  #running = 0;

  /** @param max Most dials at a time. */
  constructor(max = DIALS_OF_A_WORKER) {
    this.#max = max;
  }

  /** Takes a place. Without a free one, `queue` is advanced when one becomes free. */
  take(queue: DialQueue): boolean {
    if (this.#running < this.#max) {
      this.#running++;
      return true;
    }
    this.#blocked.add(queue);
    return false;
  }

  /** Releases a place. Waiting queues take turns. */
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
  #max: number;
  readonly #waiting = new Set<DialEntry>();
  #running = 0;

  /** @param max Most dials at a time. */
  constructor(limit: DialLimit, max = DIALS_OF_AN_UPSTREAM) {
    this.#limit = limit;
    this.#max = max;
  }

  /** Allows as many dials at a time as usual. */
  widen(): void {
    this.#max = Math.max(this.#max, DIALS_OF_AN_UPSTREAM);
  }

  /** Number of waiting entries. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Number of dials in progress. */
  get running(): number {
    return this.#running;
  }

  /** Starts `entry` now, or when it is its turn. */
  add(entry: DialEntry): void {
    this.#waiting.add(entry);
    this.advance();
  }

  /** Removes `entry`. Returns whether it was still waiting. */
  remove(entry: DialEntry): boolean {
    return this.#waiting.delete(entry);
  }

  /** A dial has ended. */
  ended(): void {
    this.#running--;
    this.#limit.release();
    this.advance();
  }

  /** Starts as many dials as the limits allow. */
  advance(): void {
    for (const entry of this.#waiting) {
      if (this.#running >= this.#max || !this.#limit.take(this)) return;
      this.#running++;
      this.#waiting.delete(entry);
      entry.start();
    }
  }
}
