/**
 * The system calls of the driver `epoll`: those of sockets, and those of its epoll descriptor.
 *
 * @module
 */

import { type Arena, ARGUMENTS } from "../linux/arena.ts";
import { type CLibrary, type MessageCall, messageCall } from "../linux/c_library.ts";
import { LinuxCalls, type SystemCalls } from "../linux/system_calls.ts";

/** System calls of one thread. */
export interface EpollCalls extends SystemCalls {
  /** Watches a descriptor for `events`; `low` and `high` come back with each event. */
  watch(epoll: number, descriptor: number, events: number, low: number, high: number): number;
  /** Watches a descriptor that is watched already for other `events`. */
  rewatch(epoll: number, descriptor: number, events: number, low: number, high: number): number;
  /** Takes up to `count` events, and does not wait for any. */
  wait(epoll: number, address: number, count: number): number;
  /** As {@linkcode wait}, but waits for the first event up to `timeoutUs`, less than a second. */
  waitFor(epoll: number, address: number, count: number, timeoutUs: number): number;
}

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
/** The same number on all architectures. Linux 5.11 and later. */
const EPOLL_PWAIT2 = 441;

/** Where in the arena the epoll_event lies that is put in. */
const EVENT = ARGUMENTS.start + 544;

/** Where the structure timespec of a timeout lies. */
const TIMEOUT = ARGUMENTS.start + 592;

/** The structure epoll_event is packed on x86-64 alone. */
export const EVENT_DATA_WORD: number = Deno.build.arch === "x86_64" ? 1 : 2;
/** Size of epoll_event in words of 32 bits. */
export const EVENT_WORDS: number = EVENT_DATA_WORD + 2;

/** The system calls of Linux, by the C library. */
export class LinuxEpollCalls extends LinuxCalls implements EpollCalls {
  readonly #library: CLibrary;
  readonly #call: MessageCall;
  readonly #arena: Arena;

  constructor(library: CLibrary, arena: Arena) {
    super(library, arena);
    this.#library = library;
    this.#call = messageCall();
    this.#arena = arena;
  }

  watch(epoll: number, descriptor: number, events: number, low: number, high: number): number {
    return this.#control(EPOLL_CTL_ADD, epoll, descriptor, events, low, high);
  }

  rewatch(epoll: number, descriptor: number, events: number, low: number, high: number): number {
    return this.#control(EPOLL_CTL_MOD, epoll, descriptor, events, low, high);
  }

  #control(what: number, epoll: number, descriptor: number, events: number, low: number, high: number): number {
    const address = this.#arena.put(EVENT, events);
    this.#arena.put(EVENT + 4 * EVENT_DATA_WORD, low);
    this.#arena.put(EVENT + 4 * EVENT_DATA_WORD + 4, high);
    return this.result(this.#library.epoll_ctl(epoll, what, descriptor, address));
  }

  wait(epoll: number, address: number, count: number): number {
    return this.result(this.#library.epoll_wait(epoll, address, count, 0));
  }

  waitFor(epoll: number, address: number, count: number, timeoutUs: number): number {
    this.#arena.put(TIMEOUT, 0);
    this.#arena.put(TIMEOUT + 4, 0);
    this.#arena.put(TIMEOUT + 12, 0);
    const timeout = this.#arena.put(TIMEOUT + 8, 1000 * timeoutUs) - 8;
    return this.result(this.#call(EPOLL_PWAIT2, epoll, address, count, timeout, 0, 0));
  }
}
