/**
 * Four octets at a time: a word of them is read and compared in about the time of one.
 *
 * @module
 */

/** The view of the memory that it was last asked for: making one costs as much as copying many words. */
class LastView {
  #bytes: Uint8Array = NOTHING;
  #view: DataView = new DataView(NOTHING.buffer);

  of(bytes: Uint8Array): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }
}

/** A view of `bytes` whose words are read with `getInt32(index, true)`, at any index. */
export function wordView(bytes: Uint8Array): DataView {
  return sources.of(bytes);
}

/** Octets that are compared with others, or written, again and again. */
export interface KnownOctets {
  readonly octets: Uint8Array;
  /** The same, four to a word, without the last ones that fill none. */
  readonly words: Int32Array;
}

/** `text` as octets, of which all characters are ASCII. */
export function knownOctets(text: string): KnownOctets {
  const octets = encoder.encode(text);
  return { octets, words: wordsOf(octets) };
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

/**
 * Copies `bytes[start … end)` to `target`, where they do not overlap. A view of a part and a native call for it cost as much
 * as the words of most lines.
 *
 * @returns Where they end.
 */
export function copyOctets(bytes: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  const length = end - start;
  if (length > MOST_BY_WORDS) {
    target.set(length === bytes.length ? bytes : bytes.subarray(start, end), at);
    return at + length;
  }
  const source = wordView(bytes);
  const words = targets.of(target);
  let i = 0;
  for (; i <= length - 4; i += 4) words.setInt32(at + i, source.getInt32(start + i, true), true);
  for (; i < length; i++) target[at + i] = bytes[start + i];
  return at + length;
}

/**
 * Writes known octets to `target`.
 *
 * @returns Where they end.
 */
export function putKnown({ octets, words }: KnownOctets, target: Uint8Array, at: number): number {
  const view = targets.of(target);
  let i = 0;
  for (let word = 0; word < words.length; word++, i += 4) view.setInt32(at + i, words[word], true);
  for (; i < octets.length; i++) target[at + i] = octets[i];
  return at + i;
}

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
// Heads arrive in one memory, and are composed in another one, almost always.
const sources = new LastView();
const targets = new LastView();
const MOST_BY_WORDS = 128;

/** Whether an octet of `word` may be none of a field value as it usually is: 0x20 to 0x7E. May say so of one that is. */
export function isUnusual(word: number): boolean {
  // An octet below 0x20 borrows, one of 0x7F carries into its highest bit, and one above has that set.
  return ((word - 0x2020_2020 | word + 0x0101_0101 | word) & HIGHEST_BITS) !== 0;
}

const HIGHEST_BITS = 0x8080_8080 | 0;
