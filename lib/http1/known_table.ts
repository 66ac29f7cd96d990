/**
 * What octets mean that come again and again, found by the octets, so that no text is made of those that were seen before.
 * Peers choose the octets, so the table has a fixed number of places, each for few octets alone, and a look-up is at most two
 * comparisons.
 *
 * @module
 */

import { ascii } from "./octets.ts";
import { wordView } from "./word_view.ts";

/** Values of octets, none of which is above 0x7F. */
export class KnownTable<T> {
  readonly #make: (text: string) => T;
  /**
   * For each place its hash, its length and its octets, in one memory: with thousands of values in turn, objects of their own
   * would not stay in the processor's caches.
   */
  readonly #words: Int32Array;
  readonly #values: (T | undefined)[];
  /** Hashes of what was looked for and not found, the last two for each place here. */
  readonly #missed: Int32Array;
  readonly #pairMask: number;

  /**
   * @param make The value of a text that comes for the second time; what it throws is thrown.
   * @param places Number of places, a power of two.
   */
  constructor(make: (text: string) => T, places: number) {
    this.#make = make;
    this.#words = new Int32Array(places * PLACE_WORDS);
    this.#values = new Array(places).fill(undefined);
    this.#missed = new Int32Array(4 * places);
    this.#pairMask = places / 2 - 1;
  }

  /** The value of `bytes[start … end)` if it is in the table or comes for the second time; undefined for no octets. */
  find(bytes: Uint8Array, start: number, end: number): T | undefined {
    const length = end - start;
    if (length <= 0 || length > MAX_LENGTH) return undefined;
    const view = wordView(bytes);
    const hash = hashOf(view, start, length);
    const place = (hash & this.#pairMask) << 1;
    const words = this.#words;
    if (standsAt(words, place, hash, view, start, length)) return this.#values[place];
    if (standsAt(words, place + 1, hash, view, start, length)) return this.#values[place + 1];
    return this.#learn(hash, bytes, start, end);
  }

  #learn(hash: number, bytes: Uint8Array, start: number, end: number): T | undefined {
    // What comes once, such as an id, does not take the place of what repeats. Found by other bits of the hash than places, so
    // that two values of one place that come in turn are both remembered.
    const missed = this.#missed;
    const at = hash >>> 15 & missed.length - 2;
    if (missed[at] !== hash && missed[at + 1] !== hash) {
      missed[at + 1] = missed[at];
      missed[at] = hash;
      return undefined;
    }
    const value = this.#make(ascii(bytes, start, end));
    this.#keep(value, hash, bytes, start, end);
    return value;
  }

  #keep(value: T, hash: number, bytes: Uint8Array, start: number, end: number): void {
    const place = (hash & this.#pairMask) << 1;
    const words = this.#words;
    const at = place * PLACE_WORDS;
    // The elder of the two goes to the second place: what is there is forgotten.
    words.copyWithin(at + PLACE_WORDS, at, at + PLACE_WORDS);
    this.#values[place + 1] = this.#values[place];
    const view = wordView(bytes);
    const length = end - start;
    const last = length >> 2;
    words[at] = hash;
    words[at + 1] = length;
    for (let i = 0; i < last; i++) words[at + 2 + i] = view.getInt32(start + 4 * i, true);
    words[at + 2 + last] = lastWord(view, start, length);
    this.#values[place] = value;
  }
}

function standsAt(
  words: Int32Array,
  place: number,
  hash: number,
  view: DataView,
  start: number,
  length: number,
): boolean {
  const at = place * PLACE_WORDS;
  if (words[at] !== hash || words[at + 1] !== length) return false;
  const last = length >> 2;
  for (let i = 0; i < last; i++) {
    if (words[at + 2 + i] !== view.getInt32(start + 4 * i, true)) return false;
  }
  return words[at + 2 + last] === lastWord(view, start, length);
}

/** The last four octets, which may be among those of the words before; of fewer, all. */
function lastWord(view: DataView, start: number, length: number): number {
  if (length >= WORD) return view.getInt32(start + length - WORD, true);
  return view.getUint8(start) << 16 | view.getUint8(start + (length >> 1)) << 8 | view.getUint8(start + length - 1);
}

// Paths of one application may differ in a few digits only, so all words of a short value count, and as many of a long one.
function hashOf(view: DataView, start: number, length: number): number {
  let hash = mixed(length, lastWord(view, start, length));
  const last = start + length - WORD;
  const step = length <= HASHED_WORDS * WORD ? WORD : length / HASHED_WORDS | 0;
  for (let at = start; at < last; at += step) hash = mixed(hash, view.getInt32(at, true));
  // The upper bits of the last word count for the place too, which is taken from the lowest.
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  return hash ^ hash >>> 13;
}

function mixed(hash: number, word: number): number {
  return Math.imul((hash << 13 | hash >>> 19) ^ word, 0x9e3779b1);
}

/** Octets of a word. */
const WORD = 4;
const HASHED_WORDS = 8;
/** Names of browsers take more than 100 octets. */
const MAX_LENGTH = 160;
/** Three lines of a cache. */
const PLACE_WORDS = 48;
