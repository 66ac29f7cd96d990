/**
 * Estimates how many messages are queued in a socket of the runtime, which reports only the bytes of their payloads.
 * Each message takes memory besides those bytes: for short or empty messages that is nearly all of it.
 *
 * A mark is set after the last message. When the bytes before it are sent, so are the messages before it, and the mark
 * is set again. After an empty message the mark is reached only with the next message that has bytes. If a peer
 * receives only empty messages, {@linkcode EMPTY_PER_SECOND} of them are assumed to be sent, and the pings of the
 * runtime show whether the peer still reads.
 *
 * @module
 */

/** Memory of a message besides its payload, in bytes, as measured. */
export const MESSAGE_OVERHEAD = 1024;
/** Empty messages that are assumed to be sent in a second. */
const EMPTY_PER_SECOND = 2000;

/** Counts the messages of one socket. */
export class UnsentMessages {
  #count = 0;
  #bytes = 0;
  /** Whether the last message has bytes. */
  #endsFull = true;
  /** Messages that are certainly sent. */
  #sent = 0;
  #markCount = 0;
  #markBytes = 0;
  #markFull = true;
  /** Empty messages after the last one that has bytes. */
  #empty = 0;
  #tickedMs = 0;

  /** Counts a message of `bytes` bytes that was given to the socket. */
  add(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
    this.#endsFull = bytes > 0;
    this.#empty = bytes > 0 ? 0 : this.#empty + 1;
  }

  /**
   * Memory of the queued messages without their payloads: an estimate that is never much too low.
   *
   * @param bufferedBytes Queued bytes of payload.
   */
  overhead(bufferedBytes: number): number {
    const sentBytes = this.#bytes - bufferedBytes;
    if (sentBytes > this.#markBytes || (sentBytes === this.#markBytes && this.#markFull)) {
      this.#sent = Math.max(this.#sent, this.#markCount);
      this.#markCount = this.#count;
      this.#markBytes = this.#bytes;
      this.#markFull = this.#endsFull;
    }
    return (this.#count - this.#sent) * MESSAGE_OVERHEAD;
  }

  /** Called on each tick of the clock. */
  tick(nowMs: number): void {
    if (this.#empty > 0 && this.#tickedMs > 0) {
      const assumed = Math.min(this.#empty, Math.floor((nowMs - this.#tickedMs) * EMPTY_PER_SECOND / 1000));
      // The oldest first: all messages with bytes before them must be sent.
      if (this.#sent >= this.#count - this.#empty) {
        this.#sent += assumed;
        this.#empty -= assumed;
      }
    }
    this.#tickedMs = nowMs;
  }
}
