/**
 * Where rates are counted: the contract, and the store in memory that all workers share.
 *
 * The algorithm is that of a token bucket, kept as one time for each key (GCRA): the time at which its bucket is full again. A
 * request moves it on by the interval of the rate, and is refused if that would be more than a burst ahead.
 *
 * @module
 */

import type { SharedState } from "../../state/shared_state.ts";

/** What a store says of one request. */
export interface RateVerdict {
  readonly allowed: boolean;
  /** Requests that would be let through now. */
  readonly remaining: number;
  /** After this time the next request is let through, in milliseconds; 0 if it is at once. */
  readonly retryMs: number;
  /** After this time all of the burst is there again, in milliseconds. */
  readonly resetMs: number;
}

/** Counts requests by key. One that is shared between machines returns a promise. */
export interface RateStore {
  /** Counts a request that is let through. */
  take(key: string, nowMs: number): RateVerdict | Promise<RateVerdict>;
}

/** A rate and its burst. */
export interface RateOptions {
  readonly requests: number;
  readonly periodMs: number;
  readonly burst: number;
  /** How many keys are remembered. */
  readonly maxKeys: number;
}

/**
 * Most parts of a millisecond in which times are kept. They wrap around at 32 bits, after 74 hours, and are compared by their
 * difference; where a burst takes longer than {@linkcode MOST_AHEAD} to come back, a part is longer.
 */
const UNITS_PER_MS = 16;
/** How far ahead a time may be: half of what differences of 32 bits can tell from the past. */
const MOST_AHEAD = 2 ** 30;
/** By how much the clocks of two workers may differ, in units: a quarter of a second; they are set to a few milliseconds. */
const CLOCK_DIFFERENCE = 2 ** 12;
/** Keys that may stand in one place of the table. */
const WAYS = 4;
/** Fields before the table: the seeds of the hash. */
const SEEDS = 2;

/** A table in memory that is shared by all workers: each key has a tag of 32 bits and a time. */
export class MemoryRateStore implements RateStore {
  readonly #fields: Int32Array;
  readonly #sets: number;
  readonly #unitsPerMs: number;
  /** Interval of the rate. */
  readonly #interval: number;
  /** How far ahead a time may be. */
  readonly #ahead: number;

  /** @param name Of the limit, the same in all workers. */
  constructor({ requests, periodMs, burst, maxKeys }: RateOptions, sharedState: SharedState, name: string) {
    this.#sets = 2 ** Math.ceil(Math.log2(maxKeys / WAYS));
    this.#fields = sharedState.take(SEEDS + 2 * WAYS * this.#sets, name);
    this.#unitsPerMs = Math.min(UNITS_PER_MS, MOST_AHEAD * requests / (periodMs * burst));
    this.#interval = Math.max(1, Math.floor(periodMs * this.#unitsPerMs / requests));
    this.#ahead = this.#interval * burst;
    const seeds = crypto.getRandomValues(new Int32Array(SEEDS));
    // The first worker sets them. Clients that knew them could make their keys collide with others'.
    for (let i = 0; i < SEEDS; i++) Atomics.compareExchange(this.#fields, i, 0, seeds[i] | 1);
  }

  take(key: string, nowMs: number): RateVerdict {
    const fields = this.#fields;
    const now = Math.trunc((nowMs % (WRAP / this.#unitsPerMs)) * this.#unitsPerMs) | 0;
    const at = this.#find(key, now);
    for (;;) {
      const full = Atomics.load(fields, at);
      const from = this.#aheadOf(full, now);
      const next = from + this.#interval;
      if (next > this.#ahead) return this.#verdict(false, from);
      if (Atomics.compareExchange(fields, at, full, (now + next) | 0) === full) return this.#verdict(true, next);
    }
  }

  #verdict(allowed: boolean, ahead: number): RateVerdict {
    const remaining = Math.floor((this.#ahead - ahead) / this.#interval);
    const retry = remaining > 0 ? 0 : ahead + this.#interval - this.#ahead;
    return { allowed, remaining, retryMs: this.#milliseconds(retry), resetMs: this.#milliseconds(ahead) };
  }

  #milliseconds(units: number): number {
    return Math.ceil(units / this.#unitsPerMs);
  }

  /**
   * How far `full` is ahead of `now`, but not farther than a burst; 0 if it has passed, or is so far ahead that it is one of long
   * ago. The clocks of workers differ by some milliseconds, so a bucket that another worker has emptied may be a little farther ahead.
   */
  #aheadOf(full: number, now: number): number {
    const ahead = (full - now) | 0;
    return ahead < 0 || ahead > this.#ahead + CLOCK_DIFFERENCE ? 0 : Math.min(ahead, this.#ahead);
  }

  /** Index of the time of a key, which takes the place of the one that is idle longest if it is new. */
  #find(key: string, now: number): number {
    const fields = this.#fields;
    let tag = fields[0];
    let place = fields[1];
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      tag = Math.imul(tag ^ code, 0x01000193);
      place = Math.imul(place ^ code, 0x85ebca6b);
      place ^= place >>> 15;
    }
    tag = mixed(tag) | 1;
    const base = SEEDS + 2 * WAYS * (mixed(place) & (this.#sets - 1));
    for (;;) {
      let idlest = base;
      let least = Infinity;
      for (let way = base; way < base + 2 * WAYS; way += 2) {
        const found = Atomics.load(fields, way);
        if (found === tag) return way + 1;
        const ahead = found === 0 ? -1 : this.#aheadOf(Atomics.load(fields, way + 1), now);
        if (ahead < least) [idlest, least] = [way, ahead];
      }
      const old = Atomics.load(fields, idlest);
      const oldTime = Atomics.load(fields, idlest + 1);
      if (Atomics.compareExchange(fields, idlest, old, tag) !== old) continue;
      // The new key begins without the requests of the old one, unless another worker has counted one for it already.
      Atomics.compareExchange(fields, idlest + 1, oldTime, now);
      return idlest + 1;
    }
  }
}

/** Spreads the bits of a hash (the end of MurmurHash3). */
function mixed(hash: number): number {
  let h = hash ^ hash >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ h >>> 16;
}

const WRAP = 2 ** 32;
