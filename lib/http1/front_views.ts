/**
 * Views of the first bytes of one memory, in which messages are composed one after the other. A view costs as much as a short
 * message takes to compose, and lengths repeat: each view is made once.
 *
 * @module
 */

/** The views of one memory. */
export class FrontViews {
  readonly memory: Uint8Array<ArrayBuffer>;
  /** By length. */
  readonly #views: (Uint8Array<ArrayBuffer> | undefined)[] = new Array(LONGEST_KEPT + 1).fill(undefined);

  constructor(memory: Uint8Array<ArrayBuffer>) {
    this.memory = memory;
  }

  /** The first `length` bytes. */
  of(length: number): Uint8Array<ArrayBuffer> {
    if (length > LONGEST_KEPT) return this.memory.subarray(0, length);
    return this.#views[length] ??= this.memory.subarray(0, length);
  }

  /** The first `length` bytes of `bytes`: of the memory, or of another where a message did not fit. */
  frontOf(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
    return bytes === this.memory ? this.of(length) : bytes.subarray(0, length);
  }
}

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
const LONGEST_KEPT = 1024;
