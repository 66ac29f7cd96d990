/**
 * Whether it pays that a loop waits for the next event itself, rather than by the runtime: told by what came of the waits
 * before. The first wait after a wake is often one for an upstream's response, a later one for another request; how long
 * either takes is the traffic's, so that each is judged by itself.
 *
 * @module
 */

/** Waits that are told apart; those that follow are like the last. */
const PLACES = 3;
const FIRST_SCORE = 4;
const BEST_SCORE = 8;
/** A wait that did not pay is tried once in so many times. */
const RETRY_EVERY = 32;

/** The record of one loop. */
export class WaitRecord {
  readonly #scores: number[] = new Array(PLACES).fill(FIRST_SCORE);
  #skipped = 0;
  #place = 0;

  /** The runtime has woken the loop. */
  begin(): void {
    this.#place = 0;
  }

  /** Whether the next wait is likely to end with an event. */
  get pays(): boolean {
    return this.#scores[this.#place] > 0 || ++this.#skipped % RETRY_EVERY === 0;
  }

  /** A wait has ended. */
  add(found: boolean): void {
    const score = this.#scores[this.#place];
    this.#scores[this.#place] = found ? Math.min(score + 1, BEST_SCORE) : Math.max(score - 1, 0);
    if (this.#place < PLACES - 1) this.#place++;
  }
}
