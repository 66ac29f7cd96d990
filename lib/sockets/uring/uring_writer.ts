/**
 * The writing side of a socket over a ring. Small messages are copied to memory of the loop's and sent by a request, which
 * goes to the kernel together with those of all other sockets. Large ones are sent by calls: what costs there is the copy, and
 * the call says at once how much the system has taken. So are those in front of the end.
 *
 * A small message counts as accepted by the system once it is copied: as if the system's buffer were larger. It is sent also
 * when the socket is closed meanwhile, and so is what the kernel did not take of it.
 *
 * @module
 */

import type { Ownership } from "../../http/body.ts";
import { SCRATCH } from "../linux/arena.ts";
import { EPOLLOUT } from "../linux/socket_loop.ts";
import { BROKEN_CONNECTION, EAGAIN, ECANCELED, EINTR, systemError } from "../linux/system_error.ts";
import { releaseBuffer } from "../socket_buffers.ts";
import { WriteQueue } from "../write_queue.ts";
import { ROOM } from "./requester.ts";
import type { UringLoop } from "./uring_loop.ts";

/** Largest message that is sent by a request. */
const MAX_SMALL_BYTES = 16 * 1024;
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
  /** The socket is closed, and the system does not take its last bytes yet. */
  lingers(): void;
  /** The socket is closed, and nothing is to be sent any more. */
  finished(): void;
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

  /** Whether a request to send was made that is not settled. */
  #sending = false;
  /** Where its bytes lie, and its number. */
  #start = 0;
  #end = 0;
  #request = 0;
  /** What was accepted from the owner, and not taken by the system. */
  #unsent: Uint8Array<ArrayBuffer> | undefined;
  /** Whether the owner has reset the connection. */
  #reset = false;
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
    return this.#sending || this.#polling;
  }

  /** Whether something that was written may not have reached the system. */
  get unsent(): boolean {
    return this.#queue.bytes > 0 || this.#unsent !== undefined || this.failure !== undefined;
  }

  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, last: boolean): boolean {
    if (this.#closed || this.#ending || this.failure !== undefined) return false;
    const { length } = bytes;
    if (length === 0) return this.#queue.bytes === 0;
    if (this.#corked || this.#queue.bytes > 0) {
      this.#enqueue(bytes, ownership, this.#corked);
      return false;
    }
    // What the end follows is held back by the system (MSG_MORE) and leaves in one packet with it. By a call, as the descriptor
    // can be closed in the same turn once the outcome is known.
    if ((!last || this.#sending) && this.#sendSmall(bytes)) {
      if (ownership === "given" && !this.#inArena(bytes)) releaseBuffer(bytes);
      return true;
    }
    if (this.#sending || this.#unsent !== undefined) {
      this.#enqueue(bytes, ownership, false);
      return false;
    }
    const sent = this.#send(bytes, last);
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
    this.#loop.sent = true;
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

  /**
   * The socket is closed: what is queued is lost. What was accepted is sent, unless `reset`.
   *
   * @returns Whether nothing is to be sent any more. Otherwise {@linkcode WriterHost.finished} follows.
   */
  close(reset: boolean): boolean {
    this.#closed = true;
    this.#reset = reset;
    this.#queue.clear();
    if (reset) this.#unsent = undefined;
    if (this.#unsent !== undefined) {
      this.#host.lingers();
      return false;
    }
    this.#cancelPoll();
    if (!this.#sending || reset) return true;
    this.#loop.settleSoon();
    return false;
  }

  /** The system did not take what it was to be given for as long as a closed socket may wait. */
  giveUp(): void {
    this.#unsent = undefined;
    this.#cancelPoll();
  }

  /** Goes on in a new turn. */
  proceed(): void {
    this.#fileBytes = 0;
    if (!this.#continues) return;
    this.#continues = false;
    this.#continue();
  }

  /** The request to send has not sent everything. Called before {@linkcode settled}. */
  sent(result: number): void {
    if (result > 0) this.#start += result;
    else if (result !== -EAGAIN && result !== -EINTR && result !== -ECANCELED) return this.#break(-result);
    // A reset loses it.
    if (!this.#reset) this.#unsent = this.#loop.arena.bytes.slice(this.#start, this.#end);
  }

  /** The kernel has seen the request to send, and uses its memory no more. */
  settled(): void {
    this.#sending = false;
    if (this.#unsent !== undefined) {
      if (this.#closed) this.#host.lingers();
      return this.#pollRoom();
    }
    if (this.#closed) {
      if (!this.#polling) this.#host.finished();
      return;
    }
    if (this.failure !== undefined) return;
    if (this.#queue.bytes > 0 || this.#fileAwaits) this.#continueSoon();
    else if (this.#ending) this.#shutdown();
  }

  /** The request {@linkcode ROOM} has completed. */
  hasRoom(): void {
    this.#polling = false;
    if (this.#closed) {
      if (!this.#sending && this.#flushUnsent()) this.#host.finished();
      return;
    }
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

  #cancelPoll(): void {
    if (this.#polling) this.#loop.ring.cancel(this.#place | ROOM, this.#loop.generation(this.#place));
  }

  #shutdown(): void {
    // What was accepted comes first.
    if (this.#sending) this.#loop.settleSoon();
    else if (this.#unsent === undefined) this.#loop.calls.shutdown(this.#descriptor);
  }

  #enqueue(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, more: boolean): void {
    this.#drainAwaited = true;
    if (this.#sending) this.#loop.settleSoon();
    this.#queue.add(bytes, this.#inArena(bytes) ? "lent" : ownership, more);
  }

  /** Whether bytes lie in the arena, which belongs to nobody beyond a call, whatever a caller says. */
  #inArena(bytes: Uint8Array<ArrayBuffer>): boolean {
    return bytes.buffer === this.#loop.arena.buffer;
  }

  /** Sends what is queued. Returns whether nothing is. With `more`, no request is under way then either. */
  #flush(more = false): boolean {
    if (!this.#sending && !this.#flushUnsent()) return false;
    while (this.#queue.bytes > 0) {
      if (this.#sending) return false;
      const front = this.#queue.front();
      if (!more && front.length === this.#queue.bytes && this.#sendSmall(front)) {
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
    return this.failure === undefined && (!more || !this.#sending);
  }

  /** Sends what was accepted and not taken. Returns whether there is nothing of it. */
  #flushUnsent(): boolean {
    const bytes = this.#unsent;
    if (bytes === undefined) return true;
    const sent = this.#send(bytes);
    this.#unsent = sent < 0 || sent === bytes.length ? undefined : bytes.subarray(sent);
    if (this.#unsent !== undefined) this.#pollRoom();
    return this.#unsent === undefined;
  }

  /** Copies a small message to where it is sent from by a request. Returns false if that cannot be done. */
  #sendSmall(bytes: Uint8Array<ArrayBuffer>): boolean {
    const { length } = bytes;
    if (length > MAX_SMALL_BYTES || this.#unsent !== undefined) return false;
    const { arena, ring, sendMemory } = this.#loop;
    if (this.#sending) {
      // Behind what the kernel has not seen yet.
      const longer = this.#end - this.#start + length;
      if (longer > MAX_SMALL_BYTES || !sendMemory.extend(this.#end, length)) return false;
      if (!ring.lengthen(this.#request, longer)) return false;
      arena.bytes.set(bytes, this.#end);
      this.#end += length;
      return true;
    }
    const start = sendMemory.take(length);
    if (start < 0) return false;
    arena.bytes.set(bytes, start);
    this.#sending = true;
    this.#start = start;
    this.#end = start + length;
    this.#request = this.#loop.send(this, this.#descriptor, start, length, this.#place);
    return true;
  }

  /** Sends what the system takes. Returns the number of bytes, or -1 if the connection is broken. */
  #send(bytes: Uint8Array<ArrayBuffer>, more = false): number {
    const { calls, arena } = this.#loop;
    const { length } = bytes;
    const inArena = this.#inArena(bytes);
    this.#loop.sent = true;
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
