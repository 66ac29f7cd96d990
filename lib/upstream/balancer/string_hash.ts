/**
 * Hashes of texts and numbers, for policies that choose by key. Fast and even, not cryptographic and without a secret:
 * several proxies, and one after its restart, must map a key to the same upstream. So a client can choose keys that all
 * map to one upstream; the effect is limited by {@linkcode LoadBound}.
 *
 * @module
 */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
// A second, independent family for identities: two texts that collide in one do not in the other
const SECOND_OFFSET = 0x9e3779b1;

/**
 * 32-bit hash of a text: FNV-1a over its UTF-16 code units, then a finaliser, because FNV alone hardly moves its high
 * bits for texts that differ at the end only.
 *
 * @param offset Where it starts; another start is another hash.
 */
export function hashText(text: string, offset: number = FNV_OFFSET): number {
  let hash = offset;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return mix(hash);
}

/** A second hash of a text, independent of {@linkcode hashText}. */
export function hashTextAgain(text: string): number {
  return hashText(text, SECOND_OFFSET);
}

/** Spreads a 32-bit number over all 32 bits, one to one: a change of any bit changes half of the others. */
export function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x21f0aaad);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
