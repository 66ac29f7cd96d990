/**
 * The loop of one thread: takes events from the kernel and gives them to sockets, side by side with the runtime's event
 * loop.
 *
 * One turn handles one batch of events and ends, so that promises of callers settle between two batches. While many
 * events come, turns follow each other by `setImmediate`, without a system call of the runtime in between; every
 * millisecond, and when few events come or none, the loop waits in the runtime's reactor ({@linkcode RuntimeWake}),
 * where timers, files and the runtime's own sockets get their turn too.
 *
 * @module
 */

import { type Arena, EVENTS } from "./arena.ts";
import type { CLibrary } from "./c_library.ts";
import type { EpollRemains } from "./epoll_remains.ts";
import { RuntimeWake } from "./runtime_wake.ts";
import { EVENT_DATA_WORD, EVENT_WORDS, type SystemCalls } from "./system_calls.ts";
import { systemError } from "./system_error.ts";

export const EPOLLIN = 0x1;
export const EPOLLPRI = 0x2;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
export const EPOLLET = 0x8000_0000 | 0;

const EPOLL_CLOEXEC = 0x80000;
const GETTID = { x86_64: 186, aarch64: 178 };

/** Events in one batch. */
const BATCH = Math.min(128, EVENTS.bytes / 4 / EVENT_WORDS);
/** So few events in a batch say that no more are to be expected at once. */
const FEW = 2;
/** How long turns follow each other before the runtime's reactor gets its turn. */
const SLICE_MS = 1;

/** Pause before another try where the system has no memory for a poll. */
const RETRY_MS = 5;

/** Whoever owns a descriptor that is watched. Neither function is to throw. */
export interface Watcher {
  /** Something happened to the descriptor: a set of EPOLLIN and so on. */
  ready(events: number): void;
  /** Called in the next turn after {@linkcode EpollLoop.defer}. */
  proceed(): void;
}

/** The loop of one thread. */
export class EpollLoop {
  readonly calls: SystemCalls;
  readonly arena: Arena;
  /** What remains of it when its thread has ended. */
  readonly remains: EpollRemains;
  readonly #epoll: number;
  readonly #wake: RuntimeWake;
  /** By descriptor. */
  readonly #watchers: (Watcher | undefined)[] = [];
  /**
   * By descriptor, how often it was watched. It comes back with each event, so that events of a descriptor that was
   * closed, and opened anew, within a batch are dropped.
   */
  readonly #generations: number[] = [];
  #watched = 0;
  #deferred: Watcher[] = [];
  #proceeding: Watcher[] = [];
  #scheduled = false;
  #armed = false;
  #sliceEndMs = 0;
  /** Whether promises have settled since the loop was armed by {@linkcode #woken}. */
  #settled = true;

  /**
   * Begins to wait.
   *
   * @throws {Error} If the system or the runtime does not allow it.
   */
  constructor(library: CLibrary, arena: Arena, calls: SystemCalls) {
    this.calls = calls;
    this.arena = arena;
    this.#epoll = library.epoll_create1(EPOLL_CLOEXEC);
    if (this.#epoll < 0) throw new Error("the system has no epoll descriptor left");
    try {
      this.#wake = new RuntimeWake(library, arena, this.#epoll, this.#woken);
    } catch (error) {
      library.close(this.#epoll);
      throw error;
    }
    // For no event, only to be known as one of the descriptors that remain.
    calls.watch(this.#epoll, this.#wake.eventfd, 0, this.#wake.eventfd, 0);
    const thread = library.syscall(GETTID[Deno.build.arch], 0n, 0, 0);
    this.remains = { thread, epoll: this.#epoll, context: this.#wake.context };
    this.#arm();
  }

  /**
   * Watches a descriptor. The process stays alive until {@linkcode forget}.
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

  /** Gives the events of a descriptor to another owner. */
  hand(descriptor: number, watcher: Watcher): void {
    this.#watchers[descriptor] = watcher;
  }

  /** Forgets a descriptor and closes it. */
  close(descriptor: number): void {
    this.#watchers[descriptor] = undefined;
    this.calls.close(descriptor);
    if (--this.#watched === 0) this.#wake.unref();
  }

  /** Calls `watcher` in the next turn. Once for each call. */
  defer(watcher: Watcher): void {
    this.#deferred.push(watcher);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  readonly #woken = (): void => {
    this.#armed = false;
    this.#sliceEndMs = performance.now() + SLICE_MS;
    if (!this.#settled || this.#handle() > FEW || this.#deferred.length > 0) return this.#schedule();
    // Little is going on, so that another turn would find nothing. The runtime is still reading the eventfd: where the
    // poll is ready at once, it wakes the loop again before promises have settled.
    this.#settled = false;
    queueMicrotask(this.#settle);
    this.#arm();
  };

  readonly #settle = (): void => {
    this.#settled = true;
  };

  readonly #turn = (): void => {
    this.#scheduled = false;
    const handled = this.#handle();
    if (this.#deferred.length > 0 || (handled > 0 && performance.now() < this.#sliceEndMs)) this.#schedule();
    else if (!this.#armed) this.#arm();
  };

  #arm(): void {
    this.#armed = this.#wake.arm();
    if (this.#armed || this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(this.#turn, RETRY_MS);
  }

  /** Handles what was deferred, and one batch of events. Returns their number. */
  #handle(): number {
    let handled = 0;
    if (this.#deferred.length > 0) {
      const proceeding = this.#deferred;
      this.#deferred = this.#proceeding;
      this.#proceeding = proceeding;
      handled = proceeding.length;
      for (let i = 0; i < handled; i++) {
        try {
          proceeding[i].proceed();
        } catch (error) {
          reportError(error);
        }
      }
      proceeding.length = 0;
    }
    const { words, address } = this.arena;
    const count = this.calls.wait(this.#epoll, address + EVENTS.start, BATCH);
    for (let i = 0, at = EVENTS.start >> 2; i < count; i++, at += EVENT_WORDS) {
      const descriptor = words[at + EVENT_DATA_WORD];
      if (this.#generations[descriptor] !== words[at + EVENT_DATA_WORD + 1]) continue;
      try {
        this.#watchers[descriptor]?.ready(words[at]);
      } catch (error) {
        // A mistake of this driver's must not cost the other sockets their events.
        reportError(error);
      }
    }
    return count > 0 ? handled + count : handled;
  }
}
