/**
 * Memory for request bodies that are read ahead of their upstreams. A single upload may use much of it, since the cost
 * of the runtime's own queue grows with the square of its length; many stalled uploads together are limited.
 *
 * @module
 */

/** Most bytes that are read ahead for all uploads of a worker; beyond it each upload may hold one piece. */
const TOTAL_BYTES = 32 * 1024 * 1024;
/** Most bytes that are read ahead for one upload. With 256 KiB the runtime still used its own queue. */
const UPLOAD_BYTES = 4 * 1024 * 1024;
/** An upload may hold 1/PARTS of the free memory: the more uploads stall, the less each may hold. */
const PARTS = 7;

/** Bytes that are read ahead. Owned by the process. */
export class ReadAhead {
  readonly #totalBytes: number;
  #heldBytes = 0;

  /** @param totalBytes Most bytes for all uploads together. */
  constructor(totalBytes = TOTAL_BYTES) {
    this.#totalBytes = totalBytes;
  }

  /** Unsent bytes of all uploads, those being written included. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether an upload that holds `ownBytes` may read more. One that holds nothing always may. */
  allows(ownBytes: number): boolean {
    return ownBytes < Math.min(UPLOAD_BYTES, Math.max(1, (this.#totalBytes - this.#heldBytes) / PARTS));
  }

  /** Adds `bytes` to the count; subtracts when below 0. */
  add(bytes: number): void {
    this.#heldBytes += bytes;
  }
}
