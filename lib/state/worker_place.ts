/**
 * A worker among all that share its state.
 *
 * @module
 */

/** Which one it is. */
export interface WorkerPlace {
  /** From 0. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
}

/** Where there are no workers. */
export const ONLY_WORKER: WorkerPlace = { index: 0, count: 1 };
