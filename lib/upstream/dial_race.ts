/**
 * Parallel dials: while one upstream is silent, another one of its pool is dialled as well, and the first connection is
 * used. No byte of the request has been sent by then. The same as RFC 8305 for the addresses of a name.
 *
 * @module
 */

import { StallTolerantTimer } from "../state/stall_tolerant_timer.ts";
import { RACE_DELAY_MS } from "../sockets/address_race.ts";

/** An attempt that needs a connection. */
export interface Contender {
  /**
   * Gets a connection.
   *
   * @param onDialling Called when the dial begins, also after a wait in the dial queue.
   */
  connect(onDialling: () => void): Promise<void>;
  /**
   * Another contender got a connection first. This one finishes its dial in the background, then releases what it
   * holds; immediately if it has a connection too.
   */
  overtaken(): void;
  /** The dial failed after {@linkcode overtaken}. */
  failed(error: unknown): unknown;
}

/** The result of a race: the contender with a connection, or the last one that failed. */
export interface RaceResult<C> {
  /** The winner, or the last loser. */
  readonly contender: C;
  /** The failure of the last loser. */
  readonly error?: unknown;
}

/** One race. Owned by an exchange. */
export class DialRace<C extends Contender> {
  readonly #next: () => C | undefined;
  readonly #lost: (contender: C, error: unknown) => void;
  readonly #running = new Set<C>();
  readonly #result = Promise.withResolvers<RaceResult<C>>();
  #over = false;
  #timer: StallTolerantTimer | undefined;

  /**
   * @param next Another contender; undefined when there is none.
   * @param lost Called for a contender that failed while others go on.
   */
  constructor(next: () => C | undefined, lost: (contender: C, error: unknown) => void) {
    this.#next = next;
    this.#lost = lost;
  }

  /** Runs it; never rejects. */
  run(first: C): Promise<RaceResult<C>> {
    this.#enter(first);
    return this.#result.promise;
  }

  #enter(contender: C): void {
    this.#running.add(contender);
    let dialling = false;
    contender.connect(() => {
      dialling = true;
      this.#overtakeAfter(RACE_DELAY_MS);
    }).then(() => this.#won(contender), (error) => this.#failed(contender, error));
    // In a burst, a wait in the dial queue says little about the upstream.
    if (!dialling) this.#overtakeAfter(QUEUED_DELAY_MS);
  }

  #overtakeAfter(ms: number): void {
    this.#timer?.stop();
    if (!this.#over) this.#timer = new StallTolerantTimer(() => this.#overtake(), ms);
  }

  #overtake(): void {
    this.#timer?.stop();
    if (this.#over) return;
    const next = this.#next();
    if (next !== undefined) this.#enter(next);
  }

  #won(contender: C): void {
    this.#running.delete(contender);
    if (this.#over) return;
    this.#over = true;
    this.#timer?.stop();
    for (const other of this.#running) other.overtaken();
    this.#result.resolve({ contender });
  }

  #failed(contender: C, error: unknown): void {
    this.#running.delete(contender);
    if (this.#over) return void contender.failed(error);
    if (this.#running.size > 0) {
      this.#lost(contender, error);
      return this.#overtake();
    }
    this.#over = true;
    this.#timer?.stop();
    this.#result.resolve({ contender, error });
  }
}

/** Time in the dial queue after which another upstream is tried as well. */
const QUEUED_DELAY_MS = 1000;
