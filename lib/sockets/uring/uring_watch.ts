/**
 * A poll of a socket that listens or connects.
 *
 * @module
 */

import type { Watcher } from "../linux/socket_loop.ts";
import { type Requester, WATCH } from "./requester.ts";
import { MORE } from "./uring_calls.ts";
import type { UringLoop } from "./uring_loop.ts";

/** What a watched descriptor is polled for. */
export interface WatchedEvents {
  /** A set of EPOLLIN and so on. */
  readonly events: number;
  /** Whether it is polled again and again. */
  readonly multishot: boolean;
}

/** The poll of one descriptor. Owned by the loop, until the descriptor is closed or connected. */
export class UringWatch implements Requester {
  readonly multishot: boolean;
  readonly #loop: UringLoop;
  readonly #descriptor: number;
  readonly #events: number;
  readonly #watcher: Watcher;
  readonly #place: number;
  #cancelled = false;
  #over = false;

  /** Begins to poll. */
  constructor(loop: UringLoop, descriptor: number, { events, multishot }: WatchedEvents, watcher: Watcher) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#events = events;
    this.multishot = multishot;
    this.#watcher = watcher;
    this.#place = loop.enlist(this);
    this.#poll();
  }

  /** Ends it. `ready` is not called any more. */
  cancel(): void {
    if (this.#over) return;
    this.#cancelled = true;
    this.#loop.ring.cancel(this.#place | WATCH, this.#loop.generation(this.#place));
  }

  completed(_kind: number, result: number, flags: number): void {
    if ((flags & MORE) === 0) {
      // A poll that has ended by itself, or failed, is made again; what happened meanwhile is seen at once.
      if (!this.#cancelled && (this.multishot || result < 0)) this.#poll();
      else this.#dismiss();
    }
    if (this.#cancelled) return;
    if (result > 0) this.#watcher.ready(result);
  }

  #dismiss(): void {
    this.#over = true;
    this.#loop.dismiss(this.#place);
  }

  #poll(): void {
    this.#loop.ring.poll(
      this.#descriptor,
      this.#events,
      this.multishot,
      this.#place | WATCH,
      this.#loop.generation(this.#place),
    );
    this.#loop.requested();
  }
}
