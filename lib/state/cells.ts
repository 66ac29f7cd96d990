/**
 * Counters that balancing reads. They are plain `Int32Array` cells, read and written with `Atomics` only, so the same
 * code counts within one worker (over an `ArrayBuffer`) and across workers (over a `SharedArrayBuffer`). Who makes the
 * cells decides which; who counts in them cannot tell.
 *
 * @module
 */

/** Hands out `count` fresh cells, all zero. */
export type TakeCells = (count: number) => Int32Array;

/** Cells of this worker alone. */
export function localCells(count: number): Int32Array {
  return new Int32Array(count);
}
