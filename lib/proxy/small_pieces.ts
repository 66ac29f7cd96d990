/**
 * Bodies that come in many small pieces. The runtime takes 50 to 200 µs for each piece of a chunked body, the more the
 * more is buffered, and hands all of them out within one turn of the event loop: a megabyte of chunks of one byte would hold
 * up everybody for 15 seconds. So they are read for a short while in a turn, by all uploads together, and as much time as
 * they took is left to others.
 *
 * Each turn lets the runtime buffer some 100 KB more, however little is read; and when the client leaves while its body is
 * read, the runtime works off all that it has buffered in one go. So a body of many pieces of a few bytes each is refused
 * after a few turns, and then read no more.
 *
 * @module
 */

import { TransportFailure } from "../transport/failure.ts";

/** A piece below this size is small, in bytes. */
export const SMALL_BYTES = 512;
/** Small pieces of a body that nobody minds: most bodies have one at the most. */
const UNCOUNTED = 8;
/** Small pieces that are read in a turn at least. */
const PER_TURN = 16;
/** More are read for as long as this, in milliseconds: few turns of many leave the runtime less to buffer than many of few. */
const TURN_MS = 10;
/** Small pieces that are read in a turn at most. */
const MOST_PER_TURN = 256;
/** Longest time that is left to others between two turns, in milliseconds. */
const LONGEST_REST_MS = 50;
/** Pieces that a body may have whatever their size. */
const FREE_PIECES = 512;
/** Bytes that its small pieces must hold on average beyond that. */
const LEAST_AVERAGE_BYTES = 16;

/** The turns of all uploads of this worker. */
export class PieceTurns {
  /** How many there have been. */
  count = 0;
  #taken = 0;
  #startedMs = 0;
  #resting = false;
  #waiting: (() => void)[] = [];

  /** Waits until another small piece may be read; undefined when it may at once. */
  next(): Promise<void> | undefined {
    if (this.#taken === 0 && !this.#resting) this.#begin();
    if (!this.#resting && this.#mayTake) {
      this.#taken++;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  get #mayTake(): boolean {
    if (this.#taken < PER_TURN) return true;
    return this.#taken < MOST_PER_TURN && performance.now() - this.#startedMs < TURN_MS;
  }

  #begin(): void {
    this.count++;
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
  /** The turn that pieces came in last, and what came in it. */
  #turn = 0;
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
    const wait = turns.next();
    // What came in turns that nothing had to wait for came at the client's own pace, and is no burden.
    if (this.#turn !== turns.count) {
      this.#turn = turns.count;
      this.#recent = this.#recentBytes = 0;
    }
    this.#recent++;
    this.#recentBytes += bytes;
    if (wait === undefined) return undefined;
    this.#count += this.#recent;
    this.#bytes += this.#recentBytes;
    this.#recent = this.#recentBytes = 0;
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
