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

/**
 * Returns a borrowed buffer, or one that was given away: it is used again or its memory is freed at once. Nobody reads
 * or writes it, or waits for a read or a write of it.
 */
export function releaseBuffer(bytes: Uint8Array<ArrayBuffer>): void {
  const size = bytes.buffer.byteLength;
  const index = BUFFER_BYTES.indexOf(size);
  if (index >= 0 && unused[index].length < KEPT[index]) {
    unused[index].push(bytes.length === size ? bytes : new Uint8Array(bytes.buffer));
  } else if (size >= MIN_DETACHED_BYTES) {
    bytes.buffer.transfer(0);
  }
}
