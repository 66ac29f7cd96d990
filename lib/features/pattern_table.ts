/**
 * A list of patterns in which the first that matches decides. Patterns for one path are found by the path, so that a long
 * list of them costs one look-up.
 *
 * @module
 */

import type { PathPattern } from "./path_pattern.ts";

/** Which of several patterns may match a path. Built once. */
export class PatternTable {
  /** Indexes of the patterns for one path, by the path. */
  readonly #exact = new Map<string, number[]>();
  /** Indexes of all others. */
  readonly #others: number[] = [];
  /** For paths in `#exact`, once asked for: all indexes that may match, in order. */
  readonly #merged = new Map<string, readonly number[]>();

  constructor(patterns: readonly PathPattern[]) {
    patterns.forEach(({ exact }, index) => {
      if (exact === undefined) this.#others.push(index);
      else this.#exact.set(exact, [...this.#exact.get(exact) ?? [], index]);
    });
  }

  /**
   * Indexes of the patterns that may match, in order.
   *
   * @param path In match form.
   */
  candidates(path: string): readonly number[] {
    const exact = this.#exact.get(path);
    if (exact === undefined) return this.#others;
    let merged = this.#merged.get(path);
    if (merged === undefined) {
      merged = [...exact, ...this.#others].sort((a, b) => a - b);
      this.#merged.set(path, merged);
    }
    return merged;
  }
}
