/**
 * The poll of the runtime's reactor while the loop waits in the ring. It reports changes alone (multishot polls are edge
 * triggered): what the reactor had to do before the wait is done after the slice, as it always was.
 *
 * It is cancelled before the loop waits in the reactor, because there the ring adds to an eventfd that the reactor watches:
 * each would report the other.
 *
 * @module
 */

import { EPOLLIN } from "../linux/socket_loop.ts";
import { REACTOR, type Requester } from "./requester.ts";
import { MORE } from "./uring_calls.ts";
import type { UringLoop } from "./uring_loop.ts";

/** The poll of one loop. */
export class ReactorPoll implements Requester {
  /** Set when the reactor has something to do. */
  ready = false;
  /** Whether what is reported from now on is new: the first completions have what was there before the poll. */
  changed = false;
  /** Whether the request was made, and neither cancelled nor ended. */
  polled = false;
  readonly #loop: UringLoop;
  readonly #descriptor: number;
  readonly #place: number;
  /** How many requests have not ended. */
  #requests = 0;

  /** @param descriptor The epoll descriptor of the reactor; -1 if it is not known. */
  constructor(loop: UringLoop, descriptor: number) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#place = loop.enlist(this) | REACTOR;
  }

  /** Whether the reactor can be polled. */
  get possible(): boolean {
    return this.#descriptor >= 0;
  }

  /** Makes the request. */
  poll(): void {
    this.polled = true;
    this.#requests++;
    this.#loop.ring.poll(this.#descriptor, EPOLLIN, true, this.#place, 0);
  }

  /** Ends it. */
  cancel(): void {
    if (!this.polled) return;
    this.polled = false;
    this.#loop.ring.cancel(this.#place, 0);
  }

  completed(_kind: number, _result: number, flags: number): void {
    this.ready = true;
    if ((flags & MORE) !== 0) return;
    // One that was cancelled ends after the next was made only if the kernel has not been entered meanwhile.
    if (--this.#requests === 0) this.polled = false;
  }
}
