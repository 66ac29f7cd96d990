/**
 * Views of parts of memories, kept where the same parts are lent again.
 *
 * @module
 */

/** Views of parts that are lent one after the other: places and lengths repeat, so the last ones are kept. */
export class PartViews {
  readonly #views: Uint8Array<ArrayBuffer>[] = new Array(PARTS_KEPT).fill(new Uint8Array(0));

  /** `bytes[start … end)`. */
  of(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): Uint8Array<ArrayBuffer> {
    const place = (start ^ end << 3) & PARTS_KEPT - 1;
    const known = this.#views[place];
    const stands = known.length === end - start && known.byteOffset === bytes.byteOffset + start;
    if (stands && known.buffer === bytes.buffer) return known;
    return this.#views[place] = bytes.subarray(start, end);
  }
}

/** Few, as each may keep a memory. */
const PARTS_KEPT = 16;
