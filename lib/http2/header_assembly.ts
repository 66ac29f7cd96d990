/**
 * A header block that HEADERS and CONTINUATION frames carry in parts (RFC 9113, section 4.3).
 *
 * @module
 */

import type { FloodBudget } from "./flood_budget.ts";

/** Collects the parts of one block. Used again for the next one. */
export class HeaderAssembly {
  /** The stream of the block; 0 while none is incomplete. */
  streamId = 0;
  endStream = false;
  /** The block, `length` bytes of it. */
  bytes: Uint8Array<ArrayBuffer> = NOTHING;
  length = 0;
  readonly #budget: FloodBudget;
  readonly #maxBytes: number;
  #frames = 0;

  /** @param maxBytes Largest block. Its fields may be larger still, as far as HPACK compresses them. */
  constructor(budget: FloodBudget, maxBytes: number) {
    this.#budget = budget;
    this.#maxBytes = maxBytes;
  }

  /** Begins a block, the first part of which is `bytes[start … end)`. */
  begin(streamId: number, endStream: boolean, bytes: Uint8Array, start: number, end: number): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.#frames = 0;
    this.#add(bytes, start, end);
  }

  /**
   * Adds the next part.
   *
   * @throws {Http2Error} ENHANCE_YOUR_CALM when there are too many, or the block is too large. It could not be skipped:
   * the blocks behind it depend on it.
   */
  continue(bytes: Uint8Array, start: number, end: number): void {
    if (++this.#frames > MAX_FRAMES || this.length + end - start > this.#maxBytes) this.#budget.use("continuation");
    this.#add(bytes, start, end);
  }

  /** The block is not needed any more. */
  clear(): void {
    this.streamId = 0;
    this.bytes = NOTHING;
    this.length = 0;
  }

  #add(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(bytes.subarray(start, end), this.length);
    this.length = needed;
  }
}

const NOTHING = new Uint8Array(0);
/** A block of 512 KB in full frames. */
const MAX_FRAMES = 32;
