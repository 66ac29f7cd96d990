/**
 * Text of values that repeat from message to message, such as hosts, media types and names of programs: found by their
 * octets, so that a value that was seen before takes no decoding and no memory. Peers choose the values, so the table has a
 * fixed number of places, each for short values alone, and a look-up is one comparison.
 *
 * @module
 */

import { ascii } from "./octets.ts";
import { type KnownOctets, standsAt, wordsOf } from "./word_view.ts";

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

// A few octets distinguish the values that are in use.
function hashOf(bytes: Uint8Array, start: number, length: number): number {
  const quarter = length >> 2;
  const ends = bytes[start] << 8 ^ bytes[start + length - 1] << 3;
  const inner = bytes[start + quarter] << 13 ^ bytes[start + 2 * quarter] << 18 ^ bytes[start + 3 * quarter] << 23;
  return Math.imul(length ^ ends ^ inner, 0x9e3779b1) >>> 4;
}

interface KnownValue extends KnownOctets {
  readonly text: string;
}

const PLACES = 2048;
const MASK = PLACES - 1;
/** Names of browsers take more than 100 octets. */
const MAX_LENGTH = 160;
const table: (KnownValue | undefined)[] = new Array(PLACES).fill(undefined);
/** Hash of the value that was looked for last and not found, by place. */
const missed = new Uint32Array(PLACES);
