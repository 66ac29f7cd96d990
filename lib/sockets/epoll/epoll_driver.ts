/**
 * The driver of Linux over the C library and epoll, for TCP and unix sockets.
 *
 * @module
 */

import { sharedTime } from "../../state/shared_time.ts";
import type {
  AcceptHandler,
  ConnectHandler,
  ConnectTarget,
  ListeningSocket,
  ListenTarget,
  PendingConnect,
  SocketDriver,
} from "../socket.ts";
import { Arena } from "../linux/arena.ts";
import { cLibrary } from "../linux/c_library.ts";
import { LinuxConnect } from "../linux/linux_connect.ts";
import { LinuxListener } from "../linux/linux_listener.ts";
import { monotonicClock } from "../linux/monotonic_clock.ts";
import type { EpollRemains } from "../linux/remains.ts";
import { SocketAddress } from "../linux/socket_address.ts";
import { EPOLLET, EPOLLIN } from "../linux/socket_loop.ts";
import { type EpollCalls, LinuxEpollCalls } from "./epoll_calls.ts";
import { EpollLoop } from "./epoll_loop.ts";

/** The driver `epoll`. One for each thread, for as long as the thread lasts. */
export class EpollDriver implements SocketDriver {
  readonly name = "epoll";
  readonly scratch: Uint8Array<ArrayBuffer>;
  readonly #loop: EpollLoop;
  readonly #socketAddress: SocketAddress;

  /**
   * Begins to wait for events.
   *
   * @param wrap Puts other system calls in place of those of Linux, for tests.
   * @throws {Error} If the system or the runtime does not allow it.
   */
  constructor(wrap: (calls: EpollCalls, arena: Arena) => EpollCalls = (calls) => calls) {
    const library = cLibrary();
    const arena = new Arena(library);
    this.scratch = arena.scratch;
    this.#socketAddress = new SocketAddress(library, arena);
    sharedTime.readBy(monotonicClock(library, arena));
    this.#loop = new EpollLoop(library, arena, wrap(new LinuxEpollCalls(library, arena), arena));
  }

  /** What remains of it when its thread has ended, for `closeRemains`. */
  get remains(): EpollRemains {
    return this.#loop.remains;
  }

  listen(target: ListenTarget, handler: AcceptHandler): ListeningSocket {
    return new LinuxListener(this.#loop, this.#socketAddress, target, handler);
  }

  connect(target: ConnectTarget, handler: ConnectHandler): PendingConnect {
    return new LinuxConnect(this.#loop, this.#socketAddress, target, handler);
  }

  /** Calls `arrived` once an event of a descriptor that is ready has arrived, as it soon does where the loop is woken. */
  tryEvent(arrived: () => void): void {
    const descriptor = cLibrary().eventfd(1, 0);
    const come = () => {
      this.#loop.close(descriptor);
      arrived();
    };
    this.#loop.watch(descriptor, EPOLLIN | EPOLLET, { ready: come, proceed() {} });
  }
}
