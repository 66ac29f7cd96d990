/**
 * The watch of the runtime's reactor while the loop waits in its own epoll descriptor, which contains that of the reactor. It
 * reports changes alone (edge triggered): what the reactor had to do before is done after the slice.
 *
 * It ends before the loop waits in the reactor, because there the loop's descriptor adds to an eventfd that the reactor
 * watches: each would report the other.
 *
 * @module
 */

import { EPOLLET, EPOLLIN } from "../linux/socket_loop.ts";
import type { EpollCalls } from "./epoll_calls.ts";

/** In place of the generation of a descriptor in the events of the reactor. */
export const REACTOR = -1;

/** The watch of one loop. */
export class ReactorWatch {
  /** Whether what is reported from now on is new: the first batch of events has what was there before the watch began. */
  changed = false;
  readonly #calls: EpollCalls;
  readonly #epoll: number;
  readonly #descriptor: number;
  #watched = false;

  /** @param descriptor The epoll descriptor of the reactor. */
  constructor(calls: EpollCalls, epoll: number, descriptor: number) {
    this.#calls = calls;
    this.#epoll = epoll;
    this.#descriptor = descriptor;
  }

  /** Puts the reactor into the loop's epoll descriptor. Returns whether that was possible. */
  add(): boolean {
    return this.#descriptor >= 0 && this.#calls.watch(this.#epoll, this.#descriptor, 0, this.#descriptor, REACTOR) >= 0;
  }

  /** Watches it. */
  begin(): void {
    this.#calls.rewatch(this.#epoll, this.#descriptor, EPOLLIN | EPOLLET, this.#descriptor, REACTOR);
    this.#watched = true;
    this.changed = false;
  }

  /** Watches it no more. */
  end(): void {
    if (!this.#watched) return;
    this.#watched = false;
    this.#calls.rewatch(this.#epoll, this.#descriptor, 0, this.#descriptor, REACTOR);
  }
}
