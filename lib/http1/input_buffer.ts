/**
 * What has arrived on a connection and has not been taken: heads of answers are found in it, and the beginnings of bodies.
 *
 * @module
 */

import { findHeadEnd, type HeadScan, malformed, parseHead, type UpstreamHead } from "./response_head.ts";

/** Bytes that wait. Owned by its connection, which reads into {@linkcode room} and moves `start` and `end`. */
export class InputBuffer {
  /** Holds them from `start` to `end`. */
  bytes = new Uint8Array(BUFFER_BYTES);
  /** Where they begin. */
  start = 0;
  /** Where they end. */
  end = 0;
  /** Whether any byte of the head that is looked for is here, or of one before it. */
  begun = false;
  readonly #maxHeadBytes: number;
  readonly #onInterim: () => void;
  readonly #scan: HeadScan = { at: 0, lineStart: 0, high: false, bare: false };
  #interim = 0;

  /**
   * @param maxHeadBytes Largest head.
   * @param onInterim Told of each interim head.
   */
  constructor(maxHeadBytes: number, onInterim: () => void) {
    this.#maxHeadBytes = maxHeadBytes;
    this.#onInterim = onInterim;
  }

  /** Whether nothing waits. */
  get empty(): boolean {
    return this.start === this.end;
  }

  /** Where the next read goes. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.end === 0 ? this.bytes : this.bytes.subarray(this.end);
  }

  /** Begins to look for a head. */
  beginHead(): void {
    this.#interim = 0;
    this.begun = false;
    this.#scanFrom(this.start);
  }

  /**
   * Takes the final head out; interim ones (1xx) are passed over. Undefined when it is not all here: then there is room for
   * more of it.
   *
   * @throws {TransportFailure} `malformed`.
   */
  takeHead(): UpstreamHead | undefined {
    const scan = this.#scan;
    while (this.end > scan.at) {
      this.begun = true;
      const headEnd = findHeadEnd(this.bytes, this.end, scan);
      if (headEnd < 0) break;
      const head = parseHead(this.bytes, this.start, headEnd, scan);
      this.start = headEnd;
      if (head.status >= 200 || head.status === 101) return head;
      if (++this.#interim > INTERIM_LIMIT) throw malformed("it sends interim answers without end");
      this.#onInterim();
      this.#scanFrom(headEnd);
    }
    this.#makeRoom();
    return undefined;
  }

  /** Empties it, and lets go of memory that a large head took. */
  clear(): void {
    this.start = 0;
    this.end = 0;
    if (this.bytes.length > BUFFER_BYTES) this.bytes = new Uint8Array(BUFFER_BYTES);
  }

  #scanFrom(start: number): void {
    const scan = this.#scan;
    scan.at = scan.lineStart = start;
    scan.high = false;
    scan.bare = false;
  }

  // A head that does not fit goes to the front of the buffer, or into a larger one.
  #makeRoom(): void {
    if (this.end < this.bytes.length) return;
    if (this.end - this.start >= this.#maxHeadBytes) {
      throw malformed(`its head is larger than ${this.#maxHeadBytes} bytes`);
    }
    const shift = this.start;
    if (shift > 0) {
      this.bytes.copyWithin(0, shift, this.end);
    } else {
      const larger = new Uint8Array(Math.min(this.bytes.length * 2, this.#maxHeadBytes + BUFFER_BYTES));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.start -= shift;
    this.end -= shift;
    this.#scan.at -= shift;
    this.#scan.lineStart -= shift;
  }
}

const BUFFER_BYTES = 16 * 1024;
const INTERIM_LIMIT = 32;
