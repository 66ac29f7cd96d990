/**
 * Bodies that come in many small pieces. The runtime takes 50 to 200 µs for each piece of a chunked body, the more the
 * more is buffered, and hands all of them out within one turn of the event loop: a megabyte of chunks of one byte would hold
 * up everybody for 15 seconds. So only some are read in a turn, by all uploads together, and as much time as they took is
 * left to others. A body of many pieces of a few bytes each is refused.
 *
 * @module
 */

import { TransportFailure } from "../../failure/failure.ts";

/** A piece below this size is small, in bytes. */
export const SMALL_BYTES = 512;
/** Small pieces of a body that nobody minds: most bodies have one at the most. */
const UNCOUNTED = 8;
/** Small pieces that are read in a turn. */
const PER_TURN = 16;
/** Longest time that is left to others between two turns, in milliseconds. */
const LONGEST_REST_MS = 50;
/** Pieces that a body may have whatever their size. */
const FREE_PIECES = 4096;
/** Bytes that its small pieces must hold on average beyond that. */
const LEAST_AVERAGE_BYTES = 16;

/** The turns of all uploads of this worker. */
class PieceTurns {
  #taken = 0;
  #startedMs = 0;
  #resting = false;
  #waiting: (() => void)[] = [];

  /** Waits until another small piece may be read; undefined when it may at once. */
  next(): Promise<void> | undefined {
    if (this.#taken === 0 && !this.#resting) this.#begin();
    if (this.#taken < PER_TURN && !this.#resting) {
      this.#taken++;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #begin(): void {
    this.#startedMs = performance.now();
    // Timers come behind all that can be read at once. What was read meanwhile has taken its time by then.
    setTimeout(() => {
      this.#resting = true;
      const restMs = Math.min(performance.now() - this.#startedMs, LONGEST_REST_MS);
      setTimeout(() => this.#end(), restMs);
    }, 0);
  }

  #end(): void {
    this.#resting = false;
    this.#taken = 0;
    const called = this.#waiting.splice(0, PER_TURN);
    if (called.length === 0) return;
    this.#begin();
    this.#taken = called.length;
    for (const call of called) call();
  }
}

const turns = new PieceTurns();

/** The small pieces of one body. */
export class SmallPieces {
  #seen = 0;
  /** Pieces, and their bytes, since one of them had to wait. */
  #recent = 0;
  #recentBytes = 0;
  /** Those that came faster than they could be read. */
  #count = 0;
  #bytes = 0;

  /** Whether they come faster than they can be read. */
  get dense(): boolean {
    return this.#count > PER_TURN;
  }

  /**
   * A small piece arrived.
   *
   * @returns Settles when the next one may be read; undefined when it may at once.
   * @throws {TransportFailure} `body_too_large` when there are too many, of too few bytes.
   */
  add(bytes: number): Promise<void> | undefined {
    if (this.#seen++ < UNCOUNTED) return undefined;
    this.#recent++;
    this.#recentBytes += bytes;
    const wait = turns.next();
    if (wait === undefined) return undefined;
    // Many before one that must wait came at the client's own pace, and are no burden.
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
    return wait;
  }
}
