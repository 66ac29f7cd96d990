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

const LONGEST_KEPT = 1024;
