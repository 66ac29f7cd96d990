/**
 * A socket over the C library. It is watched edge triggered, once, for both directions: an event says that something has
 * changed, and the socket remembers that it may be readable until a read finds nothing.
 *
 * @module
 */

import type { Ownership } from "../../http/body.ts";
import { notifyFailed } from "../notify_failed.ts";
import type { SocketHandler } from "../socket.ts";
import { releaseBuffer } from "../socket_buffers.ts";
import { WriteQueue } from "../write_queue.ts";
import { RECEIVED } from "../linux/arena.ts";
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  type LoopSocket,
  type Watcher,
} from "../linux/socket_loop.ts";
import { BROKEN_CONNECTION, EAGAIN, ECONNRESET, EINTR, systemError } from "../linux/system_error.ts";
import type { EpollLoop } from "./epoll_loop.ts";
import { inArena, sendBoth, sendBytes, wasReceived } from "./send_bytes.ts";

/** Events after which a read finds something: bytes, the end, or an error. */
const READABLE = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
/** Events after which a read that was not filled may be followed by another that finds something. */
const NOT_LAST = EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

/** Reads of one socket in a turn, so that a fast sender does not hold up others. */
const READS_PER_TURN = 8;
/**
 * Bytes of files that one socket sends in a turn, for the same reason: about 100 µs where the system has them in memory;
 * otherwise the call waits for the disk.
 */
const FILE_BYTES_PER_TURN = 1024 * 1024;

/** Bytes that are not copied to be sent with those before them. */
const LARGE_BYTES = 16 * 1024;

const SOL_SOCKET = 1;
const SO_ERROR = 4;

/** Placeholder until the owner has set its handler. */
const NO_HANDLER: SocketHandler = { received() {}, drained() {}, ended() {}, failed() {} };

/** A connection. */
export class EpollSocket implements LoopSocket, Watcher {
  handler: SocketHandler = NO_HANDLER;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #loop: EpollLoop;
  readonly #descriptor: number;
  #closed = false;
  #deferred = false;

  // State of reading.
  #begun = false;
  #paused = false;
  #readable = false;
  /** Whether reading goes on until nothing is found, because the end or an error is near. */
  #exhaustive = false;
  #ended = false;
  /** Whether the end of the peer has arrived, behind bytes that may not be read yet. */
  #peerEnded = false;
  /** Whether the system has reported an error that no call has returned yet. */
  #broken = false;
  /** Whether the owner wants to know during a pause that the connection broke. */
  #breakAsked = false;

  // State of writing.
  readonly #queue = new WriteQueue();
  #corked = false;
  #drainAwaited = false;
  #ending = false;
  #unwritten: Error | undefined;
  /** Whether the owner has bytes of a file to send, and waits for `drained`. */
  #fileAwaits = false;
  /** Whether it waits for the next turn, not for the system. */
  #fileDeferred = false;
  /** Bytes of files that were sent in this turn. */
  #fileBytes = 0;

  /** Takes over a descriptor that is watched. Nothing is read before {@linkcode begin}. */
  constructor(loop: EpollLoop, descriptor: number, remoteAddress: string, remotePort: number) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  begin(events: number): void {
    this.#begun = true;
    if (this.#readable && !this.#paused && !this.#closed) this.#read();
    // The peer may have sent something by now.
    if (events !== 0 && !this.#closed) this.ready(events);
  }

  fail(error: unknown): void {
    if (this.#closed) return;
    // What was written in part must not look complete to the peer.
    if (this.#unwritten !== undefined || this.#queue.bytes > 0) this.reset();
    else this.close();
    notifyFailed(this.handler, error);
  }

  ready(events: number): void {
    this.#fileBytes = 0;
    if ((events & READABLE) !== 0) {
      this.#readable = true;
      if ((events & NOT_LAST) !== 0) this.#exhaustive = true;
      if ((events & EPOLLERR) !== 0) this.#broken = true;
      if ((events & (EPOLLRDHUP | EPOLLHUP)) !== 0) this.#peerEnded = true;
      if (this.#ended) {
        if ((events & EPOLLERR) !== 0) this.#failAfterEnd();
      } else if (!this.#paused) {
        if (this.#begun) this.#read();
      } else if ((events & EPOLLERR) !== 0) {
        this.#failPaused();
      }
    }
    if ((events & EPOLLOUT) === 0 || this.#corked) return;
    if (this.#queue.bytes > 0 || this.#fileAwaits) this.#continueWriting();
  }

  proceed(): void {
    this.#deferred = false;
    this.#fileBytes = 0;
    if (this.#closed) return;
    if (this.#fileDeferred) {
      this.#continueWriting();
      if (this.#closed) return;
    }
    if (this.#unwritten !== undefined && (this.#paused || this.#ended)) return this.fail(this.#unwritten);
    if (this.#breakAsked && this.#paused) return this.#failBroken();
    if (this.#readable && this.#begun && !this.#paused && !this.#ended) this.#read();
  }

  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, last = false): boolean {
    if (this.#closed || this.#ending || this.#unwritten !== undefined) return false;
    if (bytes.length === 0) return this.#queue.bytes === 0;
    if (this.#corked && bytes.length >= LARGE_BYTES && wasReceived(this.#loop, bytes) && this.#sendBehindQueue(bytes)) {
      return false;
    }
    if (this.#corked || this.#queue.bytes > 0) {
      this.#enqueue(bytes, ownership, this.#corked);
      return false;
    }
    const sent = this.#send(bytes, last);
    if (sent === bytes.length) {
      if (ownership === "given" && !inArena(this.#loop, bytes)) releaseBuffer(bytes);
      return true;
    }
    if (sent >= 0) this.#enqueue(sent === 0 ? bytes : bytes.subarray(sent), ownership, false);
    return false;
  }

  sendFile(descriptor: number, offset: number, length: number): number {
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
      const result = calls.sendFile(this.#descriptor, descriptor, offset + sent, most - sent);
      if (result > 0) sent += result;
      else if (result === -EAGAIN) {
        this.#fileBytes += sent;
        this.#awaitRoom();
        return sent;
      } else if (result !== -EINTR) {
        if (BROKEN_CONNECTION.includes(-result)) {
          this.#break(systemError(-result));
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
    this.#fileDeferred = true;
    this.#defer();
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

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#readable && this.#begun && !this.#closed && !this.#ended) this.#defer();
  }

  checkPeer(): boolean {
    if (this.#broken && this.#paused && !this.#closed) {
      this.#breakAsked = true;
      this.#defer();
    }
    return this.#peerEnded || this.#ended;
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#corked = false;
    if (this.#flush()) this.#loop.calls.shutdown(this.#descriptor);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loop.close(this.#descriptor);
    this.#queue.clear();
  }

  reset(): void {
    if (this.#closed) return;
    this.#loop.calls.setReset(this.#descriptor);
    this.close();
  }

  #awaitRoom(): void {
    this.#fileAwaits = true;
    this.#drainAwaited = true;
  }

  #defer(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#loop.defer(this);
  }

  #read(): void {
    const { calls, arena } = this.#loop;
    const address = arena.address + RECEIVED.start;
    for (let reads = 0; this.#readable; reads++) {
      if (reads === READS_PER_TURN) return this.#defer();
      const count = calls.receive(this.#descriptor, address, RECEIVED.bytes);
      if (count > 0) {
        if (count < RECEIVED.bytes && !this.#exhaustive) this.#readable = false;
        try {
          this.handler.received(arena.bytes, RECEIVED.start, RECEIVED.start + count);
        } catch (error) {
          this.fail(error);
        }
        if (this.#closed || this.#paused) return;
      } else if (count === 0) {
        return this.#end();
      } else if (count === -EAGAIN) {
        this.#readable = false;
      } else if (count !== -EINTR) {
        return this.fail(this.#unwritten ?? systemError(-count));
      }
    }
    if (this.#unwritten !== undefined) this.fail(this.#unwritten);
  }

  #end(): void {
    this.#readable = false;
    this.#ended = true;
    if (this.#unwritten !== undefined) return this.fail(this.#unwritten);
    if (this.#broken) {
      // Once the end of the peer has arrived, a read finds nothing but that, though a reset has followed it.
      this.#failAfterEnd();
      if (this.#closed) return;
    }
    try {
      this.handler.ended();
    } catch (error) {
      this.fail(error);
    }
  }

  // A peer that has ended its side and then breaks the connection.
  #failAfterEnd(): void {
    const error = this.#loop.calls.getOption(this.#descriptor, SOL_SOCKET, SO_ERROR);
    if (error > 0) this.fail(systemError(error));
  }

  // A connection that broke during a pause, whatever waits in front of the failure.
  #failBroken(): void {
    const error = this.#loop.calls.getOption(this.#descriptor, SOL_SOCKET, SO_ERROR);
    this.fail(systemError(error > 0 ? error : ECONNRESET));
  }

  // A peer that breaks the connection during a pause, unless bytes wait in front of the failure.
  #failPaused(): void {
    const { calls, arena } = this.#loop;
    const result = calls.peek(this.#descriptor, arena.address + RECEIVED.start);
    if (result < 0 && result !== -EAGAIN && result !== -EINTR) this.fail(systemError(-result));
  }

  #enqueue(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, more: boolean): void {
    this.#drainAwaited = true;
    this.#queue.add(bytes, inArena(this.#loop, bytes) ? "lent" : ownership, more);
  }

  /** Sends what is queued and `bytes` behind it by one call. Returns false where the queue must be sent first. */
  #sendBehindQueue(bytes: Uint8Array<ArrayBuffer>): boolean {
    const queue = this.#queue;
    if (queue.bytes === 0) return false;
    const front = queue.front();
    if (front.length < queue.bytes || front.length > LARGE_BYTES) return false;
    const queued = front.length;
    const sent = sendBoth(this.#loop, this.#descriptor, front, bytes);
    if (sent === -EAGAIN || sent === -EINTR) return false;
    if (sent < 0) {
      this.#break(systemError(-sent));
      return true;
    }
    if (sent > 0) queue.taken(Math.min(sent, queued));
    const taken = Math.max(0, sent - queued);
    if (taken < bytes.length) this.#enqueue(bytes.subarray(taken), "lent", true);
    return true;
  }

  #continueWriting(): void {
    if (!this.#flush()) return;
    this.#fileAwaits = false;
    this.#fileDeferred = false;
    if (this.#ending) this.#loop.calls.shutdown(this.#descriptor);
    if (!this.#drainAwaited) return;
    this.#drainAwaited = false;
    try {
      this.handler.drained();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sends what is queued. Returns whether nothing is. */
  #flush(more = false): boolean {
    while (this.#queue.bytes > 0) {
      const front = this.#queue.front();
      const sent = this.#send(front, more);
      if (sent < 0) return false;
      if (sent > 0) this.#queue.taken(sent);
      if (sent < front.length) return false;
    }
    return this.#unwritten === undefined;
  }

  /** Sends what the system takes. Returns the number of bytes, or -1 if the connection is broken. */
  #send(bytes: Uint8Array<ArrayBuffer>, more = false): number {
    const sent = sendBytes(this.#loop, this.#descriptor, bytes, more);
    if (sent >= 0) return sent;
    this.#break(systemError(-sent));
    return -1;
  }

  // Bytes that arrived before the connection broke are passed on first: a server may respond, close, and not read the
  // rest of the request.
  #break(error: Error): void {
    this.#unwritten = error;
    this.#queue.clear();
    this.#readable = true;
    this.#exhaustive = true;
    this.#defer();
  }
}
