/**
 * Masking (RFC 6455, section 5.3): what a client sends is XORed with four random bytes, so that no script can choose
 * the bytes that an intermediary sees.
 *
 * @module
 */

/** A new masking key: four unpredictable bytes, in the order of the wire. */
export function maskingKey(): Uint8Array {
  if (used === keys.length) {
    crypto.getRandomValues(keys);
    used = 0;
  }
  const key = keys.subarray(used, used + 4);
  used += 4;
  return key;
}

/**
 * XORs `bytes` with `key`, in place.
 *
 * @param offset Index of `bytes[0]` within its payload, for a payload that arrives in pieces.
 */
export function applyMask(bytes: Uint8Array<ArrayBuffer>, key: Uint8Array, offset = 0): void {
  let i = 0;
  while (i < bytes.length && ((bytes.byteOffset + i) & 3) !== 0) {
    bytes[i] ^= key[(offset + i) & 3];
    i++;
  }
  const words = (bytes.length - i) >> 2;
  if (words > 0) {
    // Whole words are masked four bytes at a time, with the key rotated to their position.
    for (let j = 0; j < 4; j++) rotated[j] = key[(offset + i + j) & 3];
    const word = rotatedWord[0];
    const view = new Int32Array(bytes.buffer, bytes.byteOffset + i, words);
    for (let w = 0; w < words; w++) view[w] ^= word;
    i += words * 4;
  }
  for (; i < bytes.length; i++) bytes[i] ^= key[(offset + i) & 3];
}

const keys = new Uint8Array(4096);
let used = keys.length;
const rotated = new Uint8Array(4);
const rotatedWord = new Int32Array(rotated.buffer);
