/**
 * Content of any length that tells its position, so that bytes which are lost, doubled or changed show.
 *
 * @module
 */

/** The byte at a position. */
function byteAt(position: number): number {
  return (Math.imul(position, 0x9e3779b1) >>> 15) & 0xff;
}

/** `length` bytes from `position` on. */
export function numberedBytes(position: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = byteAt(position + i);
  return bytes;
}

/**
 * Checks `bytes[start … end)`, whose first has the number `position`.
 *
 * @throws {Error} At the first difference.
 */
export function checkNumberedBytes(bytes: Uint8Array, start: number, end: number, position: number): void {
  for (let i = start; i < end; i++) {
    if (bytes[i] !== byteAt(position + i - start)) throw new Error(`Byte ${position + i - start} is wrong`);
  }
}
