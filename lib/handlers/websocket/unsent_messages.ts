/**
 * How many messages wait in a socket of the runtime, which tells the bytes of their payloads alone. Each message takes
 * memory besides those bytes: with messages that are short, or empty, that is nearly all of it.
 *
 * A mark is set behind the messages so far. Once the bytes before it are gone, so are the messages before it, and the mark
 * is set anew. Behind an empty message the mark is only reached with the next message that has bytes; a peer that sends
 * nothing but empty ones is given {@linkcode EMPTY_PER_SECOND} of them, and the pings of the runtime find out whether
 * anybody takes them.
 *
 * @module
 */

/** What a message takes besides its payload, in bytes, as measured. */
export const MESSAGE_OVERHEAD = 1024;
/** Empty messages a second that are taken for sent. */
const EMPTY_PER_SECOND = 2000;

/** Counts the messages of one socket. */
export class UnsentMessages {
  #count = 0;
  #bytes = 0;
  /** Whether the last message has bytes. */
  #endsFull = true;
  /** Messages that are certainly gone. */
  #gone = 0;
  #markCount = 0;
  #markBytes = 0;
  #markFull = true;
  /** Empty messages behind the last one that has bytes. */
  #empty = 0;
  #tickedMs = 0;

  /** A message of so many bytes was given to the socket. */
  add(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
    this.#endsFull = bytes > 0;
    this.#empty = bytes > 0 ? 0 : this.#empty + 1;
  }

  /**
   * Memory of the messages that wait, without their payloads: an estimate, never much too small.
   *
   * @param bufferedBytes Bytes of payload that wait.
   */
  overhead(bufferedBytes: number): number {
    const sentBytes = this.#bytes - bufferedBytes;
    if (sentBytes > this.#markBytes || (sentBytes === this.#markBytes && this.#markFull)) {
      this.#gone = Math.max(this.#gone, this.#markCount);
      this.#markCount = this.#count;
      this.#markBytes = this.#bytes;
      this.#markFull = this.#endsFull;
    }
    return (this.#count - this.#gone) * MESSAGE_OVERHEAD;
  }

  /** Lets time pass. */
  tick(nowMs: number): void {
    if (this.#empty > 0 && this.#tickedMs > 0) {
      const forgiven = Math.min(this.#empty, Math.floor((nowMs - this.#tickedMs) * EMPTY_PER_SECOND / 1000));
      // Those that came first: what has bytes before them must be gone.
      if (this.#gone >= this.#count - this.#empty) {
        this.#gone += forgiven;
        this.#empty -= forgiven;
      }
    }
    this.#tickedMs = nowMs;
  }
}
