/**
 * Buffers that sockets borrow for one read or one write, so that idle connections hold little memory. There is one pool
 * for each thread.
 *
 * @module
 */

/** Sizes of the buffers that are kept, in bytes. */
export const BUFFER_BYTES: readonly number[] = [2 * 1024, 16 * 1024, 64 * 1024, 256 * 1024];

/** How many unused buffers of each size are kept: at most 9 MB. */
const KEPT: readonly number[] = [512, 128, 64, 8];

const unused: readonly Uint8Array<ArrayBuffer>[][] = BUFFER_BYTES.map(() => []);

/** Buffers that are smaller cost the garbage collector less than detaching them does. */
const MIN_DETACHED_BYTES = 8 * 1024;

/** Borrows a buffer of the size at `index` of {@linkcode BUFFER_BYTES}. Its content is undefined. */
export function takeBuffer(index: number): Uint8Array<ArrayBuffer> {
  return unused[index].pop() ?? new Uint8Array(BUFFER_BYTES[index]);
}

/** The index of the smallest size that holds `bytes`; -1 where none does. */
export function bufferIndex(bytes: number): number {
  for (let index = 0; index < BUFFER_BYTES.length; index++) if (bytes <= BUFFER_BYTES[index]) return index;
  return -1;
}

/** Returns a borrowed buffer, which nobody reads or writes any more, and of which no read or write is pending. */
export function returnBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  const index = bufferIndex(buffer.length);
  if (unused[index].length < KEPT[index]) unused[index].push(buffer);
  else detach(buffer);
}

/** Takes over the memory of bytes that were given away: it is used as a buffer, or freed at once. */
export function releaseBuffer(bytes: Uint8Array<ArrayBuffer>): void {
  const size = bytes.buffer.byteLength;
  if (BUFFER_BYTES.includes(size)) returnBuffer(bytes.length === size ? bytes : new Uint8Array(bytes.buffer));
  else detach(bytes);
}

function detach(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.buffer.byteLength >= MIN_DETACHED_BYTES) bytes.buffer.transfer(0);
}
