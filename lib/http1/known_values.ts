/**
 * Text of values that repeat from message to message, such as hosts, media types and names of programs: found by their
 * octets, so that a value that was seen before takes no decoding and no memory. Peers choose the values, so the table has a
 * fixed number of places, each for short values alone, and a look-up is one comparison.
 *
 * @module
 */

import { ascii } from "./octets.ts";
import { type KnownOctets, standsAt, wordsOf, wordView } from "./word_view.ts";

/** Text of `bytes[start … end)`, none of which is above 0x7F, if it is in the table or comes for the second time. */
export function knownValue(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start;
  if (length === 0) return "";
  if (length > MAX_LENGTH) return undefined;
  const hash = hashOf(bytes, start, length);
  const place = hash & MASK;
  const known = table[place];
  if (known !== undefined && known.octets.length === length && standsAt(known, bytes, start)) return known.text;
  // A value that comes once, such as an id, does not take the place of one that repeats.
  if (missed[place] !== hash) {
    missed[place] = hash;
    return undefined;
  }
  const text = ascii(bytes, start, end);
  const octets = bytes.slice(start, end);
  table[place] = { text, octets, words: wordsOf(octets) };
  return text;
}

// Paths of one application may differ in a few digits only, so all words of a short value count, and as many of a long one.
function hashOf(bytes: Uint8Array, start: number, length: number): number {
  if (length < WORD) return mixed(length, bytes[start] << 8 | bytes[start + length - 1]);
  const view = wordView(bytes);
  const last = start + length - WORD;
  const step = length <= HASHED_WORDS * WORD ? WORD : length / HASHED_WORDS | 0;
  let hash = mixed(length, view.getInt32(last, true));
  for (let at = start; at < last; at += step) hash = mixed(hash, view.getInt32(at, true));
  return hash ^ hash >>> 15;
}

function mixed(hash: number, word: number): number {
  return Math.imul((hash << 13 | hash >>> 19) ^ word, 0x9e3779b1);
}

interface KnownValue extends KnownOctets {
  readonly text: string;
}

/** Octets of a word. */
const WORD = 4;
const HASHED_WORDS = 8;
const PLACES = 2048;
const MASK = PLACES - 1;
/** Names of browsers take more than 100 octets. */
const MAX_LENGTH = 160;
const table: (KnownValue | undefined)[] = new Array(PLACES).fill(undefined);
/** Hash of the value that was looked for last and not found, by place. */
const missed = new Int32Array(PLACES);
