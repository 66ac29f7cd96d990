/**
 * The chunked transfer coding (RFC 9112, section 7.1), written: data between what stands before and behind a chunk, and the end
 * of a body.
 *
 * @module
 */

import { CR, LF } from "./octets.ts";

/** Most bytes that a chunk takes besides its data: a size of 13 digits, and two line ends. */
export const CHUNK_OVERHEAD_BYTES = 17;

/** The end of a chunked body without trailers. Must not be changed. */
export const LAST_CHUNK: Uint8Array<ArrayBuffer> = new TextEncoder().encode("0\r\n\r\n");

/**
 * Writes `data` as one chunk into `target` from `at` on. There must be room for {@linkcode CHUNK_OVERHEAD_BYTES} more than it
 * has. Nothing is written of empty data, as an empty chunk would end the body.
 *
 * @returns Where the chunk ends.
 */
export function putChunk(target: Uint8Array, at: number, data: Uint8Array): number {
  if (data.length === 0) return at;
  let end = putSize(target, at, data.length);
  target.set(data, end);
  end += data.length;
  target[end] = CR;
  target[end + 1] = LF;
  return end + 2;
}

/** `data`, which is not empty, as one chunk in bytes of its own. */
export function chunkOf(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(hexDigits(data.length) + data.length + 4);
  putChunk(chunk, 0, data);
  return chunk;
}

/** The end of a chunked body with trailer lines, one character a byte. They must have been checked. */
export function lastChunk(trailers: readonly string[]): string {
  let text = "0\r\n";
  for (let i = 0; i < trailers.length; i += 2) text += trailers[i] + ": " + trailers[i + 1] + "\r\n";
  return text + "\r\n";
}

function putSize(target: Uint8Array, at: number, size: number): number {
  const digits = hexDigits(size);
  let rest = size;
  for (let i = at + digits - 1; i >= at; i--) {
    const digit = rest % 16;
    target[i] = digit < 10 ? 0x30 + digit : 0x57 + digit;
    rest = (rest - digit) / 16;
  }
  target[at + digits] = CR;
  target[at + digits + 1] = LF;
  return at + digits + 2;
}

function hexDigits(size: number): number {
  let digits = 1;
  for (let rest = size; rest >= 16; rest = Math.floor(rest / 16)) digits++;
  return digits;
}
