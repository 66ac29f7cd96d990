/**
 * Draws by weight in constant time, however many weights there are (Walker's alias method, tables built as Vose does).
 *
 * @module
 */

/** Columns of equal width, one for each weight, each shared by two of them at most. */
export class AliasTable {
  /** Part of the column that belongs to its own index, 0 to 1. */
  readonly #keep: Float64Array;
  /** Index that has the rest of the column. */
  readonly #alias: Uint32Array;

  /** @param weights Each above 0. */
  constructor(weights: readonly number[]) {
    const count = weights.length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const keep = Float64Array.from(weights, (weight) => weight * count / total);
    const alias = Uint32Array.from(weights, (_, index) => index);
    const small: number[] = [];
    const large: number[] = [];
    keep.forEach((share, index) => (share < 1 ? small : large).push(index));
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop() as number;
      const rich = large[large.length - 1];
      alias[poor] = rich;
      keep[rich] -= 1 - keep[poor];
      if (keep[rich] < 1) small.push(large.pop() as number);
    }
    // The remaining parts differ from a whole column only by rounding.
    for (const index of small) keep[index] = 1;
    for (const index of large) keep[index] = 1;
    this.#keep = keep;
    this.#alias = alias;
  }

  /**
   * An index, drawn by weight. There must be one.
   *
   * @param random A uniform random number in [0, 1). It is used twice: its integer part chooses the column, its
   * fraction the index in it.
   */
  draw(random: number): number {
    const point = random * this.#keep.length;
    const column = Math.floor(point);
    return point - column < this.#keep[column] ? column : this.#alias[column];
  }
}
