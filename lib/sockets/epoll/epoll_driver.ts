/**
 * The driver of Linux over the C library and epoll, for TCP and unix sockets.
 *
 * @module
 */

import type {
  AcceptHandler,
  ConnectHandler,
  ConnectTarget,
  ListeningSocket,
  ListenTarget,
  PendingConnect,
  SocketDriver,
} from "../socket.ts";
import { Arena } from "./arena.ts";
import { cLibrary } from "./c_library.ts";
import { EpollConnect } from "./epoll_connect.ts";
import { EpollListener } from "./epoll_listener.ts";
import { EPOLLET, EPOLLIN, EpollLoop } from "./epoll_loop.ts";
import type { EpollRemains } from "./epoll_remains.ts";
import { SocketAddress } from "./socket_address.ts";
import { LinuxCalls, type SystemCalls } from "./system_calls.ts";

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
  constructor(wrap: (calls: SystemCalls, arena: Arena) => SystemCalls = (calls) => calls) {
    const library = cLibrary();
    const arena = new Arena(library);
    this.scratch = arena.scratch;
    this.#socketAddress = new SocketAddress(library, arena);
    this.#loop = new EpollLoop(library, arena, wrap(new LinuxCalls(library, arena), arena));
  }

  /** What remains of it when its thread has ended, for `closeRemains`. */
  get remains(): EpollRemains {
    return this.#loop.remains;
  }

  listen(target: ListenTarget, handler: AcceptHandler): ListeningSocket {
    return new EpollListener(this.#loop, this.#socketAddress, target, handler);
  }

  connect(target: ConnectTarget, handler: ConnectHandler): PendingConnect {
    return new EpollConnect(this.#loop, this.#socketAddress, target, handler);
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
