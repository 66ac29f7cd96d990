/**
 * A socket over a ring of io_uring. It receives by one request that lasts (multishot), also during a pause, until bytes
 * arrive: then the request is cancelled, and what has arrived is held. So a pause during which nothing arrives costs
 * nothing, and an end or a failure is noticed.
 *
 * A closed socket is known to the loop until its last request has completed, so that the memory of none is used again
 * before.
 *
 * @module
 */

import type { Ownership } from "../../http/body.ts";
import { RECEIVED } from "../linux/arena.ts";
import { EPOLLERR, EPOLLHUP, EPOLLRDHUP, type LoopSocket } from "../linux/socket_loop.ts";
import { EAGAIN, ECANCELED, ECONNRESET, EINTR, ENOBUFS, systemError } from "../linux/system_error.ts";
import { notifyFailed } from "../notify_failed.ts";
import type { SocketHandler } from "../socket.ts";
import { HeldBytes, type HeldBytesTaker } from "./held_bytes.ts";
import { PEER, RECEIVE, type Requester, ROOM, SEND } from "./requester.ts";
import { BUFFER, BUFFER_MORE, MORE } from "./uring_calls.ts";
import type { UringLoop } from "./uring_loop.ts";
import { UringWriter, type WriterHost } from "./uring_writer.ts";

/** How long the last bytes of a closed socket may take to be accepted by the system. */
const LINGER_MS = 30_000;

const SOL_SOCKET = 1;
const SO_ERROR = 4;

/** Placeholder until the owner has set its handler. */
const NO_HANDLER: SocketHandler = { received() {}, drained() {}, ended() {}, failed() {} };

/** A connection. */
export class UringSocket implements LoopSocket, Requester, WriterHost, HeldBytesTaker {
  handler: SocketHandler = NO_HANDLER;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #loop: UringLoop;
  readonly #descriptor: number;
  readonly #place: number;
  readonly #writer: UringWriter;
  #closed = false;
  #dismissed = false;
  #deferred = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  /** Whether it is closed, and its descriptor is not, because the writer has something to send. */
  #finishing = false;

  // State of reading.
  #begun = false;
  #paused = false;
  /** Whether the request to receive is under way, and whether it was cancelled. */
  #receiving = false;
  #cancelled = false;
  #held: HeldBytes | undefined;
  /** What has followed the held bytes: the end (0), or the number of an error. */
  #last = -1;
  #ended = false;
  /** Whether the end of the peer has arrived, behind bytes that may not be received yet. */
  #peerEnded = false;
  /** Whether there is a poll for the end of the peer. */
  #polling = false;
  /** Whether the system has reported a failure that nobody was told of. */
  #broken = false;
  /** Whether the owner wants to know during a pause that the connection broke. */
  #breakAsked = false;

  /** Takes over a descriptor. Nothing is received before {@linkcode begin}. */
  constructor(loop: UringLoop, descriptor: number, remoteAddress: string, remotePort: number) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.#place = loop.enlist(this);
    this.#writer = new UringWriter(loop, descriptor, this.#place, this);
  }

  get queuedBytes(): number {
    return this.#writer.queuedBytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  begin(): void {
    this.#begun = true;
    if (!this.#closed) this.#receive();
  }

  fail(error: unknown): void {
    if (this.#closed) return;
    // What was written in part must not look complete to the peer.
    if (this.#writer.unsent) this.reset();
    else this.close();
    notifyFailed(this.handler, error);
  }

  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, last = false): boolean {
    return this.#writer.write(bytes, ownership, last);
  }

  sendFile(descriptor: number, offset: number, length: number): number {
    return this.#writer.sendFile(descriptor, offset, length);
  }

  cork(): void {
    this.#writer.cork();
  }

  uncork(): boolean {
    return this.#writer.uncork();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#begun || this.#closed || this.#ended) return;
    if (this.#held !== undefined || this.#last >= 0) this.defer();
    else this.#receive();
  }

  checkPeer(): boolean {
    if (this.#paused && !this.#closed && this.#begun) {
      // While bytes are held, nothing is received that would tell.
      if (!this.#receiving && !this.#peerEnded) this.#pollPeer();
      if (this.#broken || this.#last > 0) {
        this.#breakAsked = true;
        this.defer();
      }
    }
    return this.#peerEnded || this.#ended;
  }

  end(): void {
    this.#writer.end();
  }

  close(): void {
    this.#close(false);
  }

  reset(): void {
    if (this.#closed) return;
    this.#loop.calls.setReset(this.#descriptor);
    this.#close(true);
  }

  #close(reset: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    const { ring } = this.#loop;
    const generation = this.#loop.generation(this.#place);
    if (this.#receiving && !this.#cancelled) ring.cancel(this.#place | RECEIVE, generation);
    if (this.#polling) ring.cancel(this.#place | PEER, generation);
    if (this.#writer.close(reset)) this.#loop.closeDescriptor(this.#descriptor);
    else this.#finishing = true;
    this.#held?.clear();
    this.#held = undefined;
    this.#dismissIfIdle();
  }

  #dismissIfIdle(): void {
    if (this.#receiving || this.#polling || this.#finishing || this.#writer.busy || this.#dismissed) return;
    this.#dismissed = true;
    this.#loop.dismiss(this.#place);
  }

  // The peer of a closed socket must not hold its last bytes for ever.
  lingers(): void {
    if (this.#lingering !== undefined) return;
    this.#lingering = setTimeout(() => {
      this.#writer.giveUp();
      this.finished();
    }, LINGER_MS);
    Deno.unrefTimer(this.#lingering as unknown as number);
  }

  finished(): void {
    clearTimeout(this.#lingering);
    if (this.#finishing) this.#loop.closeDescriptor(this.#descriptor);
    this.#finishing = false;
    this.#dismissIfIdle();
  }

  defer(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#loop.defer(this);
  }

  proceed(): void {
    this.#deferred = false;
    if (this.#closed) return;
    this.#writer.proceed();
    if (this.#closed) return;
    if (this.#writer.failure !== undefined) return this.#failUnwritten(this.#writer.failure);
    if (this.#breakAsked && this.#paused) return this.#failBroken();
    if (!this.#paused) this.#passHeld();
  }

  completed(kind: number, result: number, flags: number): void {
    if (kind === SEND) this.#writer.sent(result);
    else if (kind === RECEIVE) this.#received(result, flags);
    else if (kind === ROOM) this.#writer.hasRoom();
    else this.#peerChanged(result, flags);
    if (this.#closed) this.#dismissIfIdle();
  }

  drained(): void {
    try {
      this.handler.drained();
    } catch (error) {
      this.fail(error);
    }
  }

  // Bytes that arrived before the connection broke are passed on first: a server may respond, close, and not read the
  // rest of the request.
  broke(): void {
    this.#cancelReceive();
    this.defer();
  }

  #receive(): void {
    if (this.#receiving || this.#ended || this.#paused) return;
    this.#receiving = true;
    this.#cancelled = false;
    const { ring } = this.#loop;
    ring.receive(this.#descriptor, this.#place | RECEIVE, this.#loop.generation(this.#place));
    this.#loop.requested();
  }

  #cancelReceive(): void {
    if (!this.#receiving || this.#cancelled) return;
    this.#cancelled = true;
    this.#loop.ring.cancel(this.#place | RECEIVE, this.#loop.generation(this.#place));
    this.#loop.requested();
  }

  #received(result: number, flags: number): void {
    if ((flags & MORE) === 0) this.#receiving = false;
    if ((flags & BUFFER) !== 0) {
      const { buffers } = this.#loop;
      const number = flags >>> 16;
      if (result > 0) {
        const start = buffers.take(number, result);
        if (!this.#closed) this.#take(start, result);
      }
      // Nobody reads it any more.
      if ((flags & BUFFER_MORE) === 0) buffers.give(number);
    }
    if (this.#closed || this.#receiving) return;
    if (result === 0) this.#peerEnded = true;
    if (result === 0 || (result < 0 && !AGAIN.includes(-result))) this.#finish(-result);
    else if (this.#writer.failure !== undefined) this.defer();
    else this.#receive();
  }

  #take(start: number, count: number): void {
    const { bytes } = this.#loop.arena;
    if (this.#paused || this.#held !== undefined) {
      (this.#held ??= new HeldBytes()).add(bytes, start, start + count);
      this.#cancelReceive();
      return;
    }
    this.pass(bytes, start, start + count);
  }

  pass(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    try {
      this.handler.received(bytes, start, end);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Nothing more can be received: the end (0), or an error. */
  #finish(last: number): void {
    this.#last = last;
    if (this.#held !== undefined || (this.#paused && last === 0)) return;
    this.#passLast();
  }

  #passHeld(): void {
    const held = this.#held;
    if (held !== undefined) {
      while (!held.empty) {
        held.take(this);
        if (this.#closed || this.#paused) break;
      }
      if (this.#closed || !held.empty) return;
      this.#held = undefined;
      if (this.#paused) return;
    }
    if (this.#last >= 0) this.#passLast();
    else if (this.#begun) this.#receive();
  }

  #passLast(): void {
    const last = this.#last;
    if (this.#ended) return;
    if (last > 0) return this.fail(this.#writer.failure ?? systemError(last));
    this.#ended = true;
    if (this.#writer.failure !== undefined) return this.fail(this.#writer.failure);
    // Once the end of the peer has arrived, a read finds nothing but that, though a reset has followed it.
    this.#failAfterEnd();
    if (this.#closed) return;
    try {
      this.handler.ended();
    } catch (error) {
      this.fail(error);
    }
    // A peer that has ended its side may still break the connection.
    if (!this.#closed) this.#pollPeer();
  }

  #failUnwritten(failure: Error): void {
    if (this.#paused || this.#ended) return this.fail(failure);
    // Its end calls this again.
    if (this.#receiving) return;
    this.#passHeld();
    if (this.#closed || this.#paused || this.#last >= 0) return;
    const { calls, arena } = this.#loop;
    const address = arena.address + RECEIVED.start;
    for (;;) {
      const count = calls.receive(this.#descriptor, address, RECEIVED.bytes);
      if (count > 0) this.pass(arena.bytes, RECEIVED.start, RECEIVED.start + count);
      else if (count !== -EINTR) break;
      if (this.#closed) return;
      if (this.#paused) break;
    }
    this.fail(failure);
  }

  // A connection that broke during a pause, whatever waits in front of the failure.
  #failBroken(): void {
    const error = this.#loop.calls.getOption(this.#descriptor, SOL_SOCKET, SO_ERROR);
    this.fail(systemError(error > 0 ? error : this.#last > 0 ? this.#last : ECONNRESET));
  }

  // A peer that has ended its side and then breaks the connection.
  #failAfterEnd(): void {
    const error = this.#loop.calls.getOption(this.#descriptor, SOL_SOCKET, SO_ERROR);
    if (error > 0) this.fail(systemError(error));
  }

  #pollPeer(): void {
    if (this.#polling) return;
    this.#polling = true;
    const { ring } = this.#loop;
    // The kernel adds EPOLLRDHUP, EPOLLHUP and EPOLLERR.
    ring.poll(this.#descriptor, 0, true, this.#place | PEER, this.#loop.generation(this.#place));
    this.#loop.requested();
  }

  #peerChanged(events: number, flags: number): void {
    if ((flags & MORE) === 0) {
      this.#polling = false;
      if (!this.#closed && events !== -ECANCELED) this.#pollPeer();
    }
    if (this.#closed || events < 0) return;
    if ((events & (EPOLLRDHUP | EPOLLHUP)) !== 0) this.#peerEnded = true;
    if ((events & EPOLLERR) === 0) return;
    if (this.#ended) this.#failAfterEnd();
    else this.#broken = true;
  }
}

/** Errors after which receiving goes on: no buffer was free, or the request was cancelled. */
const AGAIN: readonly number[] = [EAGAIN, EINTR, ENOBUFS, ECANCELED];
