/**
 * The loop of one thread: gives the completions of a ring to sockets, and shows the kernel what they have requested. All
 * requests of a turn go to the kernel with one system call, which also brings the completions of the next.
 *
 * @module
 */

import type { Arena } from "../linux/arena.ts";
import { type CLibrary, threadNumber } from "../linux/c_library.ts";
import type { UringRemains } from "../linux/remains.ts";
import { reactorDescriptor } from "../linux/reactor.ts";
import { RuntimeWake } from "../linux/runtime_wake.ts";
import { EPOLLIN, EPOLLOUT, type SocketLoop, type Watcher } from "../linux/socket_loop.ts";
import type { SystemCalls } from "../linux/system_calls.ts";
import { TurnLoop } from "../linux/turn_loop.ts";
import { DescriptorSet, ReceiveBuffers, SendMemory } from "./memory.ts";
import { ReactorPoll } from "./reactor_poll.ts";
import { KIND_BITS, KIND_MASK, REACTOR, type Requester, SEND } from "./requester.ts";
import { Ring } from "./ring.ts";
import { UringSocket } from "./uring_socket.ts";
import type { UringCalls } from "./uring_calls.ts";
import { UringWatch } from "./uring_watch.ts";
import type { UringWriter } from "./uring_writer.ts";

const SHUT_RDWR = 2;

/** How often {@linkcode UringLoop.flush} shows the kernel what it has not taken, as where memory is short. */
const MAX_ENTRIES = 10;

/** What ends a turn before all completions are handled, so that promises settle. */
const BATCH = 128;

/** What tests put in place of the kernel's ring. */
export interface RingFaults {
  ring(ring: UringCalls, buffers: ReceiveBuffers): UringCalls;
  /**
   * Whether receive buffers are used as by kernels before Linux 6.12, which do not fill them step by step.
   *
   * @default {false}
   */
  readonly wholeBuffers?: boolean;
}

/** The loop of one thread. */
export class UringLoop extends TurnLoop implements SocketLoop {
  readonly calls: SystemCalls;
  readonly arena: Arena;
  readonly ring: UringCalls;
  readonly buffers: ReceiveBuffers;
  readonly sendMemory: SendMemory = new SendMemory();
  /** What remains of it when its thread has ended. */
  readonly remains: UringRemains;
  readonly #library: CLibrary;
  readonly #wake: RuntimeWake;
  readonly #descriptors: DescriptorSet;
  readonly #reactor: ReactorPoll;
  /** By place. */
  readonly #requesters: (Requester | undefined)[] = [undefined];
  /** By place, how often it was used, which comes back with each completion. */
  readonly #generations: number[] = [0];
  readonly #freePlaces: number[] = [];
  /** By descriptor. */
  readonly #watches: (UringWatch | undefined)[] = [];
  #open = 0;
  /** Who has made sends that are not settled. */
  #sending: (UringWriter | undefined)[] = [];
  #settling: (UringWriter | undefined)[] = [];
  /** How many they are. */
  #sends = 0;
  /** Whether somebody waits until they are. */
  #awaited = false;
  /** How many of the completions at hand were looked at for sends. */
  #scanned = 0;

  /**
   * Begins to wait.
   *
   * @throws {Error} If the system or the runtime does not allow it.
   */
  constructor(library: CLibrary, arena: Arena, calls: SystemCalls, faults: RingFaults) {
    super();
    this.calls = calls;
    this.arena = arena;
    this.#library = library;
    this.#descriptors = new DescriptorSet(arena);
    const ring = new Ring(library, arena);
    try {
      this.#wake = new RuntimeWake(library, this.woken);
      ring.registerEventfd(arena, this.#wake.eventfd);
      this.buffers = new ReceiveBuffers(arena, ring.registerBuffers(arena, faults.wholeBuffers === true));
    } catch (error) {
      library.close(ring.remains.descriptor);
      throw error;
    }
    this.#descriptors.add(this.#wake.eventfd);
    this.#reactor = new ReactorPoll(this, reactorDescriptor(this.#wake.eventfd));
    this.waits = this.#reactor.possible;
    this.ring = faults.ring(ring, this.buffers);
    this.remains = {
      driver: "uring",
      thread: threadNumber(),
      ring: ring.remains,
      arena: arena.address,
      arenaBytes: arena.bytes.length,
    };
    this.arm();
  }

  watchListening(descriptor: number, watcher: Watcher): void {
    this.#watch(descriptor, EPOLLIN, true, watcher);
  }

  watchConnecting(descriptor: number, watcher: Watcher): void {
    this.#watch(descriptor, EPOLLOUT, false, watcher);
  }

  acceptedSocket(descriptor: number, remoteAddress: string, remotePort: number): UringSocket {
    this.#opened(descriptor);
    return new UringSocket(this, descriptor, remoteAddress, remotePort);
  }

  connectedSocket(descriptor: number, remoteAddress: string, remotePort: number): UringSocket {
    this.#watches[descriptor] = undefined;
    return new UringSocket(this, descriptor, remoteAddress, remotePort);
  }

  close(descriptor: number): void {
    const watch = this.#watches[descriptor];
    this.#watches[descriptor] = undefined;
    if (watch?.multishot === true) {
      // Its port is closed when this returns, which the end of the poll would delay.
      this.#library.shutdown(descriptor, SHUT_RDWR);
    }
    watch?.cancel();
    this.closeDescriptor(descriptor);
  }

  /** Closes a descriptor after the requests that were made before. */
  closeDescriptor(descriptor: number): void {
    this.ring.close(descriptor);
    this.#descriptors.delete(descriptor);
    this.requested();
    if (--this.#open === 0) this.#wake.unref();
  }

  /** Gives a place to an owner: the first word of its requests, to which the kind is added. */
  enlist(requester: Requester): number {
    const place = this.#freePlaces.pop() ?? this.#requesters.length;
    this.#requesters[place] = requester;
    this.#generations[place] ??= 0;
    return place << KIND_BITS;
  }

  /** The second word of the requests of a place. */
  generation(place: number): number {
    return this.#generations[place >> KIND_BITS];
  }

  /** Takes a place back, when no request is under way. */
  dismiss(place: number): void {
    const index = place >> KIND_BITS;
    this.#requesters[index] = undefined;
    this.#generations[index] = this.#generations[index] + 1 | 0;
    this.#freePlaces.push(index);
  }

  /** Called after each request: one that is made outside of a turn needs a turn to be shown to the kernel. */
  requested(): void {
    if (!this.handling) this.schedule();
  }

  /** Shows the kernel all requests. Their completions are handled in the next turn. */
  flush(): void {
    for (let tries = 0; this.ring.pending && tries < MAX_ENTRIES; tries++) this.#enter(0);
  }

  /** Sends from {@linkcode sendMemory}. The writer's `settled` is called when the kernel has tried it. */
  send(writer: UringWriter, descriptor: number, start: number, bytes: number, place: number): number {
    this.#sending[this.#sends++] = writer;
    this.sent = true;
    const { ring } = this;
    const request = ring.send(descriptor, this.arena.address + start, bytes, place | SEND, this.generation(place));
    this.requested();
    return request;
  }

  /** A writer waits until its send is settled, which does not wait for events. */
  settleSoon(): void {
    this.#awaited = true;
  }

  #watch(descriptor: number, events: number, multishot: boolean, watcher: Watcher): void {
    this.#opened(descriptor);
    this.#watches[descriptor] = new UringWatch(this, descriptor, { events, multishot }, watcher);
  }

  #opened(descriptor: number): void {
    this.#descriptors.add(descriptor);
    if (this.#open++ === 0) this.#wake.ref();
  }

  protected watchReactor(): void {
    if (!this.#reactor.polled) this.#reactor.poll();
    this.#reactor.changed = false;
  }

  protected takeEvents(waitUs: number): number {
    // A send that somebody waits for does not wait for events.
    this.#enter(this.#awaited ? 0 : waitUs);
    this.beginBatch();
    this.#reactor.ready = false;
    const handled = this.#complete(false);
    if (this.#reactor.ready && this.#reactor.changed) this.endSlice();
    this.#reactor.changed = true;
    return handled;
  }

  protected wakeSelf(): void {
    this.#wake.wake();
  }

  protected disarm(): boolean {
    this.ring.silence();
    return true;
  }

  protected wait(): boolean {
    this.#reactor.cancel();
    if (this.ring.pending) {
      this.#enter(0);
      this.#complete(true);
    }
    if (!this.ring.listen() || this.ring.pending) this.#wake.wake();
    return true;
  }

  /** Shows the kernel all requests, and settles sends, before anything else can be sent by the same sockets. */
  #enter(waitUs: number): void {
    this.ring.enter(waitUs);
    if (this.#sends > 0) this.#settleSends();
  }

  #settleSends(): void {
    const { ring } = this;
    const { completions } = ring;
    for (const count = ring.available(); this.#scanned < count; this.#scanned++) {
      const at = ring.completion(this.#scanned);
      if ((completions[at] & KIND_MASK) === SEND) {
        this.#notify(completions[at], completions[at + 1], completions[at + 2], 0);
      }
    }
    if (ring.pending) return;
    this.sendMemory.clear();
    this.#awaited = false;
    const writers = this.#sending;
    const count = this.#sends;
    this.#sending = this.#settling;
    this.#settling = writers;
    this.#sends = 0;
    for (let i = 0; i < count; i++) {
      const writer = writers[i] as UringWriter;
      // An array that is shortened would give its memory back, and take it again with the next sends.
      writers[i] = undefined;
      writer.settled();
    }
  }

  /**
   * Gives completions to their owners, but for those of sends.
   *
   * @param ownOnly Whether to stop at the first one that is not the loop's.
   * @returns The number of those that were not the loop's.
   */
  #complete(ownOnly: boolean): number {
    const { ring } = this;
    const { completions } = ring;
    let others = 0;
    const count = Math.min(ring.available(), BATCH);
    for (let i = 0; i < count; i++) {
      const at = ring.completion(0);
      const low = completions[at];
      const kind = low & KIND_MASK;
      const own = kind === SEND || kind === REACTOR;
      if (ownOnly && !own) break;
      const high = completions[at + 1];
      const result = completions[at + 2];
      const flags = completions[at + 3];
      ring.taken();
      if (this.#scanned > 0) this.#scanned--;
      if (!own) others++;
      if (kind !== SEND) this.#notify(low, high, result, flags);
    }
    return others;
  }

  #notify(low: number, high: number, result: number, flags: number): void {
    const place = low >> KIND_BITS;
    if (this.#generations[place] !== high) return;
    try {
      this.#requesters[place]?.completed(low & KIND_MASK, result, flags);
    } catch (error) {
      // A mistake of this driver's must not cost the other sockets their completions.
      reportError(error);
    }
  }
}
