/**
 * The writing side of a socket over a ring. Small messages are copied to a slot and sent by a request, which goes to the
 * kernel together with those of all other sockets. Large ones are sent by calls: what costs there is the copy, and the call
 * says at once how much the system has taken.
 *
 * A small message counts as accepted by the system once it is in the slot: as if the system's buffer were larger by one
 * slot. It is sent also when the socket is closed meanwhile.
 *
 * @module
 */

import type { Ownership } from "../../http/body.ts";
import { SCRATCH } from "../linux/arena.ts";
import { EPOLLOUT } from "../linux/socket_loop.ts";
import { BROKEN_CONNECTION, EAGAIN, ECANCELED, EINTR, systemError } from "../linux/system_error.ts";
import { releaseBuffer } from "../socket_buffers.ts";
import { WriteQueue } from "../write_queue.ts";
import { SLOT_BYTES } from "./memory.ts";
import { ROOM, SEND } from "./requester.ts";
import type { UringLoop } from "./uring_loop.ts";

/**
 * Bytes of files that one socket sends in a turn, so that others get theirs: about 100 µs where the system has them in
 * memory; otherwise the call waits for the disk.
 */
const FILE_BYTES_PER_TURN = 1024 * 1024;

/** The socket of a writer. */
export interface WriterHost {
  /** What was queued is sent, and the owner waits for that. Not to throw. */
  drained(): void;
  /** A send has failed. */
  broke(): void;
  /** Calls {@linkcode UringWriter.proceed} in the next turn. */
  defer(): void;
}

/** Owned by its socket. */
export class UringWriter {
  /** Why nothing can be sent any more. */
  failure: Error | undefined;
  readonly #loop: UringLoop;
  readonly #descriptor: number;
  readonly #place: number;
  readonly #host: WriterHost;
  readonly #queue = new WriteQueue();
  #closed = false;
  #corked = false;
  #drainAwaited = false;
  #ending = false;

  /** The slot whose bytes are being sent; -1 if there is none. */
  #slot = -1;
  /** Its bytes that are not sent yet. */
  #start = 0;
  #end = 0;
  /** Number of the request that sends them. */
  #request = 0;
  /** Whether there is a poll for room. */
  #polling = false;
  /** Whether writing goes on in the next turn. */
  #continues = false;

  /** Whether the owner has bytes of a file to send, and waits for `drained`. */
  #fileAwaits = false;
  /** Bytes of files that were sent in this turn. */
  #fileBytes = 0;

  constructor(loop: UringLoop, descriptor: number, place: number, host: WriterHost) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#place = place;
    this.#host = host;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Whether a request of it is under way. */
  get busy(): boolean {
    return this.#slot >= 0 || this.#polling;
  }

  /** Whether something that was written may not have reached the system. */
  get unsent(): boolean {
    return this.#queue.bytes > 0 || this.failure !== undefined;
  }

  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    if (this.#closed || this.#ending || this.failure !== undefined) return false;
    const { length } = bytes;
    if (length === 0) return this.#queue.bytes === 0;
    if (this.#corked || this.#queue.bytes > 0) {
      this.#enqueue(bytes, ownership, this.#corked);
      return false;
    }
    if (this.#toSlot(bytes)) {
      if (ownership === "given" && !this.#inArena(bytes)) releaseBuffer(bytes);
      return true;
    }
    if (this.#slot >= 0) {
      this.#enqueue(bytes, ownership, false);
      return false;
    }
    const sent = this.#send(bytes);
    if (sent === length) {
      if (ownership === "given" && !this.#inArena(bytes)) releaseBuffer(bytes);
      return true;
    }
    if (sent >= 0) {
      this.#enqueue(sent === 0 ? bytes : bytes.subarray(sent), ownership, false);
      this.#pollRoom();
    }
    return false;
  }

  sendFile(file: number, offset: number, length: number): number {
    this.#corked = false;
    if (this.#closed || this.#ending) return 0;
    if (!this.#flush(true)) {
      this.#awaitRoom();
      return 0;
    }
    const { calls } = this.#loop;
    const most = Math.min(length, FILE_BYTES_PER_TURN - this.#fileBytes);
    let sent = 0;
    while (sent < most) {
      const result = calls.sendFile(this.#descriptor, file, offset + sent, most - sent);
      if (result > 0) sent += result;
      else if (result === -EAGAIN) {
        this.#fileBytes += sent;
        this.#awaitRoom();
        this.#pollRoom();
        return sent;
      } else if (result !== -EINTR) {
        if (BROKEN_CONNECTION.includes(-result)) {
          this.#break(-result);
          return sent;
        }
        // The file's. The next call fails likewise.
        if (sent === 0) return -1;
        break;
      }
    }
    this.#fileBytes += sent;
    if (sent === length) return sent;
    this.#awaitRoom();
    this.#continueSoon();
    return sent;
  }

  cork(): void {
    this.#corked = true;
  }

  uncork(): boolean {
    this.#corked = false;
    if (this.#closed || !this.#flush()) return this.#queue.bytes === 0;
    this.#drainAwaited = this.#fileAwaits;
    return true;
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#corked = false;
    if (this.#flush()) this.#shutdown();
  }

  /** The socket is closed: what is queued is lost. What is in the slot is sent, unless `reset`. */
  close(reset: boolean): void {
    this.#closed = true;
    this.#queue.clear();
    const { ring } = this.#loop;
    const generation = this.#loop.generation(this.#place);
    if (this.#polling) ring.cancel(this.#place | ROOM, generation);
    if (this.#slot >= 0 && reset) ring.cancel(this.#place | SEND, generation);
  }

  /** Goes on in a new turn. */
  proceed(): void {
    this.#fileBytes = 0;
    if (!this.#continues) return;
    this.#continues = false;
    this.#continue();
  }

  /** The request {@linkcode SEND} has completed. */
  sent(result: number): void {
    if (result > 0) this.#start += result;
    const retried = result > 0 || result === -EAGAIN || result === -EINTR || result === -ECANCELED;
    if (retried && !this.#closed && this.#start < this.#end) return this.#sendSlot();
    this.#loop.slots.release(this.#slot);
    this.#slot = -1;
    if (this.#closed) return;
    if (result < 0) return this.#break(-result);
    if (this.#queue.bytes > 0 || this.#fileAwaits) this.#continueSoon();
    else if (this.#ending) this.#shutdown();
  }

  /** The request {@linkcode ROOM} has completed. */
  hasRoom(): void {
    this.#polling = false;
    if (this.#closed) return;
    this.#fileBytes = 0;
    if (!this.#corked) this.#continue();
  }

  #continue(): void {
    if (this.#closed || this.#corked || !this.#flush()) return;
    this.#fileAwaits = false;
    if (this.#ending) this.#shutdown();
    if (!this.#drainAwaited) return;
    this.#drainAwaited = false;
    this.#host.drained();
  }

  #continueSoon(): void {
    this.#continues = true;
    this.#host.defer();
  }

  #awaitRoom(): void {
    this.#fileAwaits = true;
    this.#drainAwaited = true;
  }

  #pollRoom(): void {
    if (this.#polling) return;
    this.#polling = true;
    const { ring } = this.#loop;
    ring.poll(this.#descriptor, EPOLLOUT, false, this.#place | ROOM, this.#loop.generation(this.#place));
    this.#loop.requested();
  }

  #shutdown(): void {
    // What is in the slot comes first.
    if (this.#slot < 0) this.#loop.calls.shutdown(this.#descriptor);
  }

  #enqueue(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, more: boolean): void {
    this.#drainAwaited = true;
    this.#queue.add(bytes, this.#inArena(bytes) ? "lent" : ownership, more);
  }

  /** Whether bytes lie in the arena, which belongs to nobody beyond a call, whatever a caller says. */
  #inArena(bytes: Uint8Array<ArrayBuffer>): boolean {
    return bytes.buffer === this.#loop.arena.bytes.buffer;
  }

  /** Sends what is queued. Returns whether nothing is. With `more`, the slot is empty then too. */
  #flush(more = false): boolean {
    while (this.#queue.bytes > 0) {
      if (this.#slot >= 0) return false;
      const front = this.#queue.front();
      if (!more && front.length === this.#queue.bytes && this.#toSlot(front)) {
        this.#queue.taken(front.length);
        break;
      }
      const sent = this.#send(front, more);
      if (sent < 0) return false;
      if (sent > 0) this.#queue.taken(sent);
      if (sent < front.length) {
        this.#pollRoom();
        return false;
      }
    }
    return this.failure === undefined && (!more || this.#slot < 0);
  }

  /** Copies a small message to a slot, from which it is sent. Returns false if that cannot be done. */
  #toSlot(bytes: Uint8Array<ArrayBuffer>): boolean {
    const { length } = bytes;
    const { arena, ring, slots } = this.#loop;
    if (length > SLOT_BYTES) return false;
    if (this.#slot >= 0) {
      if (this.#end + length > this.#slot + SLOT_BYTES) return false;
      // Behind what the kernel has not seen yet.
      if (!ring.lengthen(this.#request, this.#end + length - this.#start)) return false;
      arena.bytes.set(bytes, this.#end);
      this.#end += length;
      return true;
    }
    const slot = slots.take();
    if (slot < 0) return false;
    arena.bytes.set(bytes, slot);
    this.#slot = slot;
    this.#start = slot;
    this.#end = slot + length;
    this.#sendSlot();
    return true;
  }

  #sendSlot(): void {
    const { arena, ring } = this.#loop;
    this.#request = ring.send(
      this.#descriptor,
      arena.address + this.#start,
      this.#end - this.#start,
      this.#place | SEND,
      this.#loop.generation(this.#place),
    );
    this.#loop.requested();
  }

  /** Sends what the system takes. Returns the number of bytes, or -1 if the connection is broken. */
  #send(bytes: Uint8Array<ArrayBuffer>, more = false): number {
    const { calls, arena } = this.#loop;
    const { length } = bytes;
    const inArena = this.#inArena(bytes);
    let sent = 0;
    while (sent < length) {
      let count = length - sent;
      let address = arena.address + bytes.byteOffset + sent;
      if (!inArena) {
        if (count > SCRATCH.bytes) count = SCRATCH.bytes;
        arena.bytes.set(count === length ? bytes : bytes.subarray(sent, sent + count), SCRATCH.start);
        address = arena.address + SCRATCH.start;
      }
      const result = calls.send(this.#descriptor, address, count, more);
      if (result > 0) sent += result;
      else if (result === -EAGAIN) return sent;
      else if (result !== -EINTR) {
        this.#break(-result);
        return -1;
      }
    }
    return sent;
  }

  #break(errno: number): void {
    this.failure = systemError(errno);
    this.#queue.clear();
    this.#host.broke();
  }
}
