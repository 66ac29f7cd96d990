/**
 * Request bodies in many small pieces. The runtime takes 50 to 200 µs for each piece of a chunked body, more as more is
 * buffered, and delivers all of them within one turn of the event loop: a megabyte in chunks of one byte would block
 * the worker for 15 seconds. So all uploads together read a limited number of small pieces in a turn, and then pause
 * for as long as reading took. A body of many pieces of a few bytes each is refused.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";

/** A piece below this size is small, in bytes. */
export const SMALL_BYTES = 512;
/** Small pieces of a body that are not limited: most bodies have one at most. */
const UNCOUNTED = 8;
/** Small pieces that are read in a turn. */
const PER_TURN = 16;
/** Longest pause between two turns, in milliseconds. */
const LONGEST_REST_MS = 50;
/** Limited pieces that a body may have whatever their size. */
const FREE_PIECES = 4096;
/** Bytes that its limited pieces must hold on average beyond that number. */
const LEAST_AVERAGE_BYTES = 16;

/** Waits for its turn to read another small piece. */
export interface TurnWaiter {
  /** Another small piece may be read. */
  onTurn(): void;
}

/** Limits the small pieces of all uploads of this worker. */
class PieceTurns {
  #taken = 0;
  #startedMs = 0;
  #resting = false;
  #waiting: TurnWaiter[] = [];

  /** Whether another small piece may be read now. Otherwise `waiter` is called when it may. */
  next(waiter: TurnWaiter): boolean {
    if (this.#taken === 0 && !this.#resting) this.#begin();
    if (this.#taken < PER_TURN && !this.#resting) {
      this.#taken++;
      return true;
    }
    this.#waiting.push(waiter);
    return false;
  }

  #begin(): void {
    this.#startedMs = performance.now();
    // A timer fires after all pieces that can be read now: it measures how long reading them took.
    setTimeout(() => {
      this.#resting = true;
      const restMs = Math.min(performance.now() - this.#startedMs, LONGEST_REST_MS);
      setTimeout(() => this.#end(), restMs);
    }, 0);
  }

  #end(): void {
    this.#resting = false;
    this.#taken = 0;
    const released = this.#waiting.splice(0, PER_TURN);
    if (released.length === 0) return;
    this.#begin();
    this.#taken = released.length;
    for (const waiter of released) waiter.onTurn();
  }
}

const turns = new PieceTurns();

/** The small pieces of one body. */
export class SmallPieces {
  #seen = 0;
  /** Pieces, and their bytes, since the last one that had to wait. */
  #recent = 0;
  #recentBytes = 0;
  /** Pieces, and their bytes, that arrived faster than they may be read. */
  #count = 0;
  #bytes = 0;

  /** Whether pieces arrive faster than they may be read. */
  get dense(): boolean {
    return this.#count > PER_TURN;
  }

  /**
   * Counts a small piece that arrived.
   *
   * @param waiter Called when the next piece may be read, if that is not now.
   * @returns Whether the next piece may be read now.
   * @throws {TransportFailure} `body_too_large` when there are too many, of too few bytes.
   */
  add(bytes: number, waiter: TurnWaiter): boolean {
    if (this.#seen++ < UNCOUNTED) return true;
    this.#recent++;
    this.#recentBytes += bytes;
    if (turns.next(waiter)) return true;
    // A long run before one that must wait arrived at the client's own speed, and does not load the worker.
    if (this.#recent <= 2 * PER_TURN) {
      this.#count += this.#recent;
      this.#bytes += this.#recentBytes;
    }
    this.#recent = 0;
    this.#recentBytes = 0;
    if (this.#count > FREE_PIECES && this.#bytes < this.#count * LEAST_AVERAGE_BYTES) {
      throw new TransportFailure(
        "body_too_large",
        `The client's body comes in more than ${FREE_PIECES} pieces of ${
          (this.#bytes / this.#count).toFixed(1)
        } bytes on average, expected ${LEAST_AVERAGE_BYTES} or more`,
      );
    }
    return false;
  }
}
