/**
 * Memory for request bodies that are read ahead of their upstreams. One upload may take much, since the runtime's own queue
 * costs the square of what waits in it; many that stall together may not.
 *
 * @module
 */

/** Most bytes that are read ahead for all uploads of a worker, before each is left with one piece. */
const TOTAL_BYTES = 32 * 1024 * 1024;
/** Most bytes that are read ahead for one upload. 256 KiB were found too few to keep the runtime from its own queue. */
const UPLOAD_BYTES = 4 * 1024 * 1024;
/** An upload gets one part in so many of what is free: the more stall, the less each gets. */
const PARTS = 7;

/** Bytes that are read ahead. Owned by the process. */
export class ReadAhead {
  readonly #totalBytes: number;
  #heldBytes = 0;

  /** @param totalBytes Most bytes for all uploads together. */
  constructor(totalBytes = TOTAL_BYTES) {
    this.#totalBytes = totalBytes;
  }

  /** Bytes that wait to be sent, those under way included. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether an upload that holds `ownBytes` may read more. One that holds nothing may always. */
  allows(ownBytes: number): boolean {
    return ownBytes < Math.min(UPLOAD_BYTES, Math.max(1, (this.#totalBytes - this.#heldBytes) / PARTS));
  }

  /** Counts bytes in, or, below 0, out. */
  add(bytes: number): void {
    this.#heldBytes += bytes;
  }
}
