/**
 * Bytes that were written to a socket and not yet accepted by the system. Small writes that follow each other are
 * joined, so that they take one system call.
 *
 * @module
 */

import type { Ownership } from "../http/body.ts";
import { BUFFER_BYTES, bufferIndex, releaseBuffer, takeBuffer } from "./socket_buffers.ts";

/** Longer pieces that need no copy are not copied to be joined with others: a copy would cost more than the call. */
const MAX_JOINED_BYTES = 16 * 1024;

/** The queue of one socket. Owned by the socket. */
export class WriteQueue {
  /** Bytes that are queued. */
  bytes = 0;
  /** Pieces that are complete, oldest first: bytes, where what is left of them begins and ends, and who owns them. */
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  readonly #ends: number[] = [];
  readonly #owned: boolean[] = [];
  /** What is left of the first piece begins here. */
  #start = 0;
  /** Borrowed buffer to which small writes are still added, behind all pieces. */
  #tail: Uint8Array<ArrayBuffer> | undefined;
  #tailEnd = 0;

  /**
   * Adds bytes, at least one. Afterwards `lent` bytes are not referred to; `given` ones are released once they are taken.
   *
   * @param more Whether more is likely to be added before the next {@linkcode front}.
   */
  add(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, more: boolean): void {
    const { length } = bytes;
    this.bytes += length;
    const copied = ownership === "lent" || (length <= MAX_JOINED_BYTES && (more || this.#tail !== undefined));
    if (copied && this.#join(bytes)) {
      if (ownership === "given") releaseBuffer(bytes);
      return;
    }
    this.#sealTail();
    // Its own copy of what is lent and larger than all buffers.
    this.#push(ownership === "lent" ? bytes.slice() : bytes, length, ownership !== "shared");
  }

  /** The bytes to write next, which stay unchanged until {@linkcode taken}. The queue is not empty. */
  front(): Uint8Array<ArrayBuffer> {
    if (this.#pieces.length === 0) this.#sealTail();
    const bytes = this.#pieces[0];
    const end = this.#ends[0];
    return this.#start === 0 && end === bytes.length ? bytes : bytes.subarray(this.#start, end);
  }

  /** The system has accepted the first `count` bytes of {@linkcode front}. */
  taken(count: number): void {
    this.bytes -= count;
    this.#start += count;
    if (this.#start === this.#ends[0]) this.#shift();
  }

  /** Removes everything. No write of {@linkcode front} is pending. */
  clear(): void {
    while (this.#pieces.length > 0) this.#shift();
    if (this.#tail !== undefined) releaseBuffer(this.#tail);
    this.#tail = undefined;
    this.bytes = 0;
  }

  /** Adds to the tail. Returns false where the bytes are larger than all buffers. */
  #join(bytes: Uint8Array<ArrayBuffer>): boolean {
    const tail = this.#tail;
    if (tail !== undefined && this.#tailEnd + bytes.length <= tail.length) {
      tail.set(bytes, this.#tailEnd);
      this.#tailEnd += bytes.length;
      return true;
    }
    const both = tail === undefined ? bytes.length : this.#tailEnd + bytes.length;
    let index = bufferIndex(both);
    if (tail !== undefined && this.#tailEnd <= BUFFER_BYTES[0] && index >= 0) {
      // A head and the body that follows it go out together.
      const larger = takeBuffer(index);
      larger.set(tail.subarray(0, this.#tailEnd));
      larger.set(bytes, this.#tailEnd);
      releaseBuffer(tail);
      this.#tail = larger;
      this.#tailEnd = both;
      return true;
    }
    index = bufferIndex(bytes.length);
    if (index < 0) return false;
    this.#sealTail();
    this.#tail = takeBuffer(index);
    this.#tail.set(bytes);
    this.#tailEnd = bytes.length;
    return true;
  }

  #sealTail(): void {
    if (this.#tail === undefined) return;
    this.#push(this.#tail, this.#tailEnd, true);
    this.#tail = undefined;
  }

  #push(bytes: Uint8Array<ArrayBuffer>, end: number, owned: boolean): void {
    this.#pieces.push(bytes);
    this.#ends.push(end);
    this.#owned.push(owned);
  }

  #shift(): void {
    const bytes = this.#pieces.shift() as Uint8Array<ArrayBuffer>;
    this.#ends.shift();
    if (this.#owned.shift()) releaseBuffer(bytes);
    this.#start = 0;
  }
}
