/**
 * Four octets at a time: a word of them is read and compared in about the time of one.
 *
 * @module
 */

/** A view of `bytes` whose words are read with `getInt32(index, true)`, at any index. */
export function wordView(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    viewed = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return view;
}

/** Octets that are compared with others again and again. */
export interface KnownOctets {
  readonly octets: Uint8Array;
  /** The same, four to a word, without the last ones that fill none. */
  readonly words: Int32Array;
}

/** The words of `octets`. */
export function wordsOf(octets: Uint8Array): Int32Array {
  const view = new DataView(octets.buffer, octets.byteOffset);
  return Int32Array.from({ length: octets.length >> 2 }, (_, i) => view.getInt32(4 * i, true));
}

/** Whether `known` stands at `start` in `bytes`, which have room for it. */
export function standsAt({ octets, words }: KnownOctets, bytes: Uint8Array, start: number): boolean {
  const view = wordView(bytes);
  for (let i = 0; i < words.length; i++) {
    if (view.getInt32(start + 4 * i, true) !== words[i]) return false;
  }
  for (let i = 4 * words.length; i < octets.length; i++) {
    if (octets[i] !== bytes[start + i]) return false;
  }
  return true;
}

// Heads are parsed from the memory of the sockets almost always, so the last view is kept.
let viewed: Uint8Array = new Uint8Array(0);
let view: DataView = new DataView(viewed.buffer);

/** Whether an octet of `word` may be none of a field value as it usually is: 0x20 to 0x7E. May say so of one that is. */
export function isUnusual(word: number): boolean {
  // An octet below 0x20 borrows, one of 0x7F carries into its highest bit, and one above has that set.
  return ((word - 0x2020_2020 | word + 0x0101_0101 | word) & HIGHEST_BITS) !== 0;
}

const HIGHEST_BITS = 0x8080_8080 | 0;
