/**
 * Cells by name. Whoever asks for a name again gets the same cells: so what is known of an upstream survives a reload, and
 * workers that ask for the same names share them.
 *
 * @module
 */

import type { TakeCells } from "./cells.ts";

/** Hands out cells by name. */
export interface SharedState {
  /** The cells called `name`; all zero when they are new. */
  take(count: number, name: string): Int32Array;
  /** Forgets all names but these, once nobody counts in them any more. */
  retain(names: ReadonlySet<string>): void;
}

/** Cells of one worker. */
export class LocalState implements SharedState {
  readonly #cells = new Map<string, Int32Array>();

  /** The cells called `name`. */
  take(count: number, name: string): Int32Array {
    const known = this.#cells.get(name);
    if (known !== undefined && known.length === count) return known;
    const cells = new Int32Array(count);
    this.#cells.set(name, cells);
    return cells;
  }

  /** Forgets all names but these. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#cells.keys()) if (!names.has(name)) this.#cells.delete(name);
  }
}

/** Cells whose names begin with `prefix`: the first taken is `prefix.0`, the next `prefix.1`. */
export function cellsWithin(sharedState: SharedState, prefix: string): TakeCells {
  let next = 0;
  return (count) => sharedState.take(count, `${prefix}.${next++}`);
}
