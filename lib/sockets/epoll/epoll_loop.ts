/**
 * The loop of one thread: takes events from an epoll descriptor and gives them to sockets.
 *
 * @module
 */

import { type Arena, EVENTS } from "../linux/arena.ts";
import { type CLibrary, threadNumber } from "../linux/c_library.ts";
import type { EpollRemains } from "../linux/remains.ts";
import { RuntimeWake } from "../linux/runtime_wake.ts";
import { reactorDescriptor } from "../linux/reactor.ts";
import {
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  type SocketLoop,
  type Watcher,
} from "../linux/socket_loop.ts";
import { EINTR, systemError } from "../linux/system_error.ts";
import { TurnLoop } from "../linux/turn_loop.ts";
import { type EpollCalls, EVENT_DATA_WORD, EVENT_WORDS } from "./epoll_calls.ts";
import { EpollSocket } from "./epoll_socket.ts";
import { EventPoll } from "./event_poll.ts";
import { REACTOR, ReactorWatch } from "./reactor_watch.ts";

/** What a connection is watched for. */
const CONNECTION_EVENTS = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;

const EPOLL_CLOEXEC = 0x80000;

/** Events in one batch. */
const BATCH = Math.min(128, EVENTS.bytes / 4 / EVENT_WORDS);

/** The loop of one thread. */
export class EpollLoop extends TurnLoop implements SocketLoop {
  readonly calls: EpollCalls;
  readonly arena: Arena;
  /** What remains of it when its thread has ended. */
  readonly remains: EpollRemains;
  readonly #epoll: number;
  readonly #wake: RuntimeWake;
  readonly #poll: EventPoll;
  /** By descriptor. */
  readonly #watchers: (Watcher | undefined)[] = [];
  /**
   * By descriptor, how often it was watched. It comes back with each event, so that events of a descriptor that was
   * closed, and opened anew, within a batch are dropped.
   */
  readonly #generations: number[] = [];
  readonly #reactor: ReactorWatch;
  #watched = 0;

  /**
   * Begins to wait.
   *
   * @throws {Error} If the system or the runtime does not allow it.
   */
  constructor(library: CLibrary, arena: Arena, calls: EpollCalls) {
    super();
    this.calls = calls;
    this.arena = arena;
    this.#epoll = library.epoll_create1(EPOLL_CLOEXEC);
    if (this.#epoll < 0) throw new Error("the system has no epoll descriptor left");
    try {
      this.#wake = new RuntimeWake(library, this.woken);
      this.#poll = new EventPoll(library, arena, this.#epoll, this.#wake.eventfd);
    } catch (error) {
      library.close(this.#epoll);
      throw error;
    }
    // For no event, only to be known as one of the descriptors that remain.
    calls.watch(this.#epoll, this.#wake.eventfd, 0, this.#wake.eventfd, 0);
    const reactor = reactorDescriptor(this.#wake.eventfd, this.#epoll);
    this.#reactor = new ReactorWatch(calls, this.#epoll, reactor);
    this.waits = this.#reactor.add();
    this.remains = { driver: "epoll", thread: threadNumber(), epoll: this.#epoll, context: this.#poll.context };
    this.arm();
  }

  /**
   * Watches a descriptor for `events`. The process stays alive until {@linkcode close}.
   *
   * @throws {Error} If the kernel has no memory for it.
   */
  watch(descriptor: number, events: number, watcher: Watcher): void {
    const generation = ((this.#generations[descriptor] ?? 0) + 1) | 0;
    const result = this.calls.watch(this.#epoll, descriptor, events, descriptor, generation);
    if (result < 0) throw systemError(-result);
    this.#generations[descriptor] = generation;
    this.#watchers[descriptor] = watcher;
    if (this.#watched++ === 0) this.#wake.ref();
  }

  watchListening(descriptor: number, watcher: Watcher): void {
    this.watch(descriptor, EPOLLIN | EPOLLET, watcher);
  }

  watchConnecting(descriptor: number, watcher: Watcher): void {
    this.watch(descriptor, CONNECTION_EVENTS, watcher);
  }

  acceptedSocket(descriptor: number, remoteAddress: string, remotePort: number): EpollSocket {
    const socket = new EpollSocket(this, descriptor, remoteAddress, remotePort);
    this.watch(descriptor, CONNECTION_EVENTS, socket);
    return socket;
  }

  connectedSocket(descriptor: number, remoteAddress: string, remotePort: number): EpollSocket {
    const socket = new EpollSocket(this, descriptor, remoteAddress, remotePort);
    this.#watchers[descriptor] = socket;
    return socket;
  }

  close(descriptor: number): void {
    this.#watchers[descriptor] = undefined;
    this.calls.close(descriptor);
    if (--this.#watched === 0) this.#wake.unref();
  }

  protected watchReactor(): void {
    this.#reactor.begin();
  }

  protected wait(): boolean {
    this.#reactor.end();
    return this.#poll.arm();
  }

  protected disarm(): boolean {
    return false;
  }

  protected wakeSelf(): void {
    this.#wake.wake();
  }

  protected takeEvents(waitUs: number): number {
    const { words, address } = this.arena;
    const place = address + EVENTS.start;
    const count = waitUs > 0
      ? this.calls.waitFor(this.#epoll, place, BATCH, waitUs)
      : this.calls.wait(this.#epoll, place, BATCH);
    this.beginBatch();
    // The kernel, or a filter of its calls, has no such call.
    if (count < 0 && waitUs > 0 && count !== -EINTR) this.waits = false;
    let handled = 0;
    for (let i = 0, at = EVENTS.start >> 2; i < count; i++, at += EVENT_WORDS) {
      const descriptor = words[at + EVENT_DATA_WORD];
      const generation = words[at + EVENT_DATA_WORD + 1];
      if (generation === REACTOR) {
        if (this.#reactor.changed) this.endSlice();
        continue;
      }
      handled++;
      if (this.#generations[descriptor] !== generation) continue;
      try {
        this.#watchers[descriptor]?.ready(words[at]);
      } catch (error) {
        // A mistake of this driver's must not cost the other sockets their events.
        reportError(error);
      }
    }
    this.#reactor.changed = true;
    return handled;
  }
}
