/**
 * Bytes that have arrived and have not been taken: a window in a buffer that moves or grows for heads that do not fit.
 *
 * @module
 */

/** A window of bytes. Owned by the connection that reads into {@linkcode room} and moves `start` and `end`. */
export class ByteWindow {
  /** Holds them from `start` to `end`. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where they begin. */
  start = 0;
  /** Where they end. */
  end = 0;
  readonly #baseBytes: number;

  /** @param baseBytes Size of the buffer while nothing large waits in it. */
  constructor(baseBytes: number) {
    this.#baseBytes = baseBytes;
    this.bytes = new Uint8Array(baseBytes);
  }

  /** How many bytes there are. */
  get length(): number {
    return this.end - this.start;
  }

  /** Whether there are none. */
  get empty(): boolean {
    return this.start === this.end;
  }

  /** Where the next read goes. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.end === 0 ? this.bytes : this.bytes.subarray(this.end);
  }

  /**
   * Makes room behind the bytes: they go to the front of the buffer, or into a larger one.
   *
   * @param maxBytes Most bytes that may wait.
   * @returns Whether there is room.
   */
  makeRoom(maxBytes: number): boolean {
    if (this.end < this.bytes.length) return true;
    if (this.length >= maxBytes) return false;
    if (this.start > 0) {
      this.bytes.copyWithin(0, this.start, this.end);
      this.end -= this.start;
      this.start = 0;
    } else {
      this.#grow(Math.min(this.bytes.length * 2, maxBytes + this.#baseBytes));
    }
    return true;
  }

  /** Adds `bytes[start … end)` behind the bytes that are there. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (this.end + count > this.bytes.length) {
      if (this.length + count > this.bytes.length) {
        this.#grow(Math.max(2 * this.bytes.length, this.end + count));
      } else {
        this.bytes.copyWithin(0, this.start, this.end);
        this.end -= this.start;
        this.start = 0;
      }
    }
    this.bytes.set(bytes.subarray(start, end), this.end);
    this.end += count;
  }

  /** Puts `bytes` into the window, which is empty. */
  fill(bytes: Uint8Array): void {
    this.start = 0;
    this.end = 0;
    if (bytes.length >= this.bytes.length) this.#grow(bytes.length + this.#baseBytes);
    this.bytes.set(bytes);
    this.end = bytes.length;
  }

  /**
   * Empties it.
   *
   * @param keptBytes Largest buffer that is kept for what arrives next.
   */
  clear(keptBytes: number = this.#baseBytes): void {
    this.start = 0;
    this.end = 0;
    if (this.bytes.length > keptBytes) this.bytes = new Uint8Array(this.#baseBytes);
  }

  #grow(size: number): void {
    const larger = new Uint8Array(size);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
