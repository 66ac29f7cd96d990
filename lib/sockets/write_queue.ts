/**
 * Bytes that were written to a socket and not yet accepted by the system. Small writes that follow each other are
 * joined, so that they take one system call.
 *
 * @module
 */

import type { Ownership } from "../http/body.ts";
import { BUFFER_BYTES, bufferIndex, releaseBuffer, returnBuffer, takeBuffer } from "./socket_buffers.ts";

/** Longer pieces that need no copy are not copied to be joined with others: a copy would cost more than the call. */
const MAX_JOINED_BYTES = 16 * 1024;

/** What becomes of the memory of a piece once the system has accepted it. */
type Owner = "others" | "pool" | "given";

/** A piece behind the first. */
interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly end: number;
  readonly owner: Owner;
}

/** The queue of one socket. Owned by the socket. */
export class WriteQueue {
  /** Bytes that are queued. */
  bytes = 0;
  // The first piece stands in fields, as most queues have no other.
  #first: Uint8Array<ArrayBuffer> | undefined;
  #start = 0;
  #end = 0;
  #owner: Owner = "others";
  /** The pieces behind the first, oldest first. */
  #rest: Piece[] | undefined;
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
    if (copied && this.#join(bytes, length)) {
      if (ownership === "given") releaseBuffer(bytes);
      return;
    }
    this.#sealTail();
    // Its own copy of what is lent and larger than all buffers.
    if (ownership === "lent") this.#push(bytes.slice(), length, "given");
    else this.#push(bytes, length, ownership === "given" ? "given" : "others");
  }

  /** The bytes to write next, which stay unchanged until {@linkcode taken}. The queue is not empty. */
  front(): Uint8Array<ArrayBuffer> {
    if (this.#first === undefined) this.#sealTail();
    const bytes = this.#first as Uint8Array<ArrayBuffer>;
    return this.#start === 0 && this.#end === bytes.length ? bytes : bytes.subarray(this.#start, this.#end);
  }

  /** The system has accepted the first `count` bytes of {@linkcode front}. */
  taken(count: number): void {
    this.bytes -= count;
    this.#start += count;
    if (this.#start === this.#end) this.#releaseFirst();
  }

  /** Removes everything. No write of {@linkcode front} is pending. */
  clear(): void {
    while (this.#first !== undefined) this.#releaseFirst();
    if (this.#tail !== undefined) returnBuffer(this.#tail);
    this.#tail = undefined;
    this.bytes = 0;
  }

  /** Adds to the tail. Returns false where the bytes are larger than all buffers. */
  #join(bytes: Uint8Array<ArrayBuffer>, length: number): boolean {
    const tail = this.#tail;
    const end = tail === undefined ? 0 : this.#tailEnd;
    if (tail !== undefined) {
      if (end + length <= tail.length) {
        tail.set(bytes, end);
        this.#tailEnd = end + length;
        return true;
      }
      const index = end <= BUFFER_BYTES[0] ? bufferIndex(end + length) : -1;
      if (index >= 0) {
        // A head and the body that follows it go out together.
        const larger = takeBuffer(index);
        larger.set(tail.subarray(0, end));
        larger.set(bytes, end);
        returnBuffer(tail);
        this.#tail = larger;
        this.#tailEnd = end + length;
        return true;
      }
    }
    const index = bufferIndex(length);
    if (index < 0) return false;
    this.#sealTail();
    this.#tail = takeBuffer(index);
    this.#tail.set(bytes);
    this.#tailEnd = length;
    return true;
  }

  #sealTail(): void {
    if (this.#tail === undefined) return;
    this.#push(this.#tail, this.#tailEnd, "pool");
    this.#tail = undefined;
  }

  #push(bytes: Uint8Array<ArrayBuffer>, end: number, owner: Owner): void {
    if (this.#first !== undefined) {
      (this.#rest ??= []).push({ bytes, end, owner });
      return;
    }
    this.#first = bytes;
    this.#start = 0;
    this.#end = end;
    this.#owner = owner;
  }

  #releaseFirst(): void {
    const bytes = this.#first as Uint8Array<ArrayBuffer>;
    this.#first = undefined;
    if (this.#owner === "pool") returnBuffer(bytes);
    else if (this.#owner === "given") releaseBuffer(bytes);
    const next = this.#rest?.shift();
    if (next !== undefined) this.#push(next.bytes, next.end, next.owner);
  }
}
