/**
 * Requests in flight by key, counted together by all workers. Each key has one field, with a tag of the key in its upper half and the count in its lower: one
 * compare-and-exchange changes both, so a count is never that of another key. A key that has no request in flight gives its place to another one.
 *
 * @module
 */

import type { SharedState } from "../../state/shared_state.ts";
import type { WorkerPlace } from "../../state/worker_place.ts";

/** Prefix of the names of these fields. */
export const IN_FLIGHT_FIELDS = "in flight ";

/** Fields before the table: the seeds of the hash. */
const SEEDS = 2;
/** Keys that may stand in one place of the table. */
const WAYS = 4;
const COUNT_BITS = 16;
const COUNTS = 2 ** COUNT_BITS - 1;

/** Largest limit. */
export const MOST_IN_FLIGHT = COUNTS - 1;

/** Counts in memory that all workers share. */
export class InFlightStore {
  readonly #fields: Int32Array;
  readonly #keys: number;
  /** Index of this worker's own counts, from which those of a dead worker are known; 0 when it is the only one. */
  readonly #own: number;

  /** @param name Of the limit, the same in all workers. */
  constructor(maxKeys: number, sharedState: SharedState, { name, worker }: { name: string; worker: WorkerPlace }) {
    this.#keys = WAYS * 2 ** Math.ceil(Math.log2(maxKeys / WAYS));
    const { index, count } = worker;
    this.#fields = sharedState.take(SEEDS + this.#keys * (count > 1 ? 1 + count : 1), IN_FLIGHT_FIELDS + name);
    this.#own = count > 1 ? this.#keys * (1 + index) : 0;
    const seeds = crypto.getRandomValues(new Int32Array(SEEDS));
    // The first worker sets them. Clients that knew them could make their keys collide with others'.
    for (let i = 0; i < SEEDS; i++) Atomics.compareExchange(this.#fields, i, 0, seeds[i] | 1);
  }

  /**
   * Counts a request, unless `most` are in flight.
   *
   * @returns What holds the count; undefined where it is not counted; null if there are too many. It is not counted where four
   * other keys with requests in flight have all places that the key could have.
   */
  begin(key: string, most: number): Disposable | undefined | null {
    const fields = this.#fields;
    const hash = hashOf(key, fields[0], fields[1]);
    const tag = hash.tag;
    const base = SEEDS + WAYS * (hash.place & (this.#keys / WAYS - 1));
    for (;;) {
      const at = findPlace(fields, base, tag);
      if (at < 0) return undefined;
      const word = Atomics.load(fields, at);
      const count = word & COUNTS;
      if (word >>> COUNT_BITS !== tag && count > 0) continue;
      if (count >= most) return null;
      if (Atomics.compareExchange(fields, at, word, (tag << COUNT_BITS) | (count + 1)) !== word) continue;
      // Another worker may have begun to count the same key at another place, in the same moment.
      if (count === 0 && countedElsewhere(fields, { base, at, tag })) {
        Atomics.sub(fields, at, 1);
        continue;
      }
      if (this.#own !== 0) Atomics.add(fields, at + this.#own, 1);
      return new InFlightRequest(fields, at, this.#own);
    }
  }
}

/** One request in flight. */
class InFlightRequest implements Disposable {
  readonly #fields: Int32Array;
  readonly #at: number;
  readonly #own: number;
  #counted = true;

  constructor(fields: Int32Array, at: number, own: number) {
    this.#fields = fields;
    this.#at = at;
    this.#own = own;
  }

  [Symbol.dispose](): void {
    if (!this.#counted) return;
    this.#counted = false;
    if (this.#own !== 0) Atomics.sub(this.#fields, this.#at + this.#own, 1);
    Atomics.sub(this.#fields, this.#at, 1);
  }
}

/**
 * Subtracts what a worker that has ended had in flight.
 *
 * @param fields Those of one limit.
 * @param worker Its index, from 0, among `count`.
 */
export function clearWorkerInFlight(fields: Int32Array, { index, count }: WorkerPlace): void {
  const keys = (fields.length - SEEDS) / (1 + count);
  for (let at = SEEDS; at < SEEDS + keys; at++) {
    const held = Atomics.exchange(fields, at + keys * (1 + index), 0);
    if (held > 0) Atomics.sub(fields, at, held);
  }
}

/** Where a key is counted, or can be; -1 if there is no room. */
function findPlace(fields: Int32Array, base: number, tag: number): number {
  let idle = -1;
  let free = -1;
  for (let at = base; at < base + WAYS; at++) {
    const word = Atomics.load(fields, at);
    const counts = (word & COUNTS) > 0;
    if (word >>> COUNT_BITS === tag) {
      if (counts) return at;
      if (idle < 0) idle = at;
    } else if (!counts && free < 0) free = at;
  }
  return idle < 0 ? free : idle;
}

function countedElsewhere(
  fields: Int32Array,
  { base, at, tag }: { readonly base: number; readonly at: number; readonly tag: number },
): boolean {
  for (let other = base; other < base + WAYS; other++) {
    const word = Atomics.load(fields, other);
    if (other !== at && word >>> COUNT_BITS === tag && (word & COUNTS) > 0) return true;
  }
  return false;
}

function hashOf(key: string, seedOfTag: number, seedOfPlace: number): { tag: number; place: number } {
  let tag = seedOfTag;
  let place = seedOfPlace;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    tag = Math.imul(tag ^ code, 0x01000193);
    place = Math.imul(place ^ code, 0x85ebca6b);
    place ^= place >>> 15;
  }
  // Not 0, which is the tag of a place that was never used.
  return { tag: (mixed(tag) >>> COUNT_BITS) | 1, place: mixed(place) };
}

/** Spreads the bits of a hash (the end of MurmurHash3). */
function mixed(hash: number): number {
  let h = hash ^ hash >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ h >>> 16;
}
