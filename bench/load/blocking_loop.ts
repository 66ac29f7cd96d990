/**
 * The loop of the driver `epoll`, with turns that its owner asks for: nothing of the runtime's event loop runs between them,
 * and a wait ends to about 50 µs when it should. For a program that does nothing else.
 *
 * @module
 */

import type { ConnectHandler } from "../../lib/sockets/socket.ts";
import { LinuxEpollCalls } from "../../lib/sockets/epoll/epoll_calls.ts";
import { EpollLoop } from "../../lib/sockets/epoll/epoll_loop.ts";
import { Arena } from "../../lib/sockets/linux/arena.ts";
import { cLibrary } from "../../lib/sockets/linux/c_library.ts";
import { LinuxConnect } from "../../lib/sockets/linux/linux_connect.ts";
import { monotonicClock } from "../../lib/sockets/linux/monotonic_clock.ts";
import { SocketAddress } from "../../lib/sockets/linux/socket_address.ts";

/** The longest wait of a turn: a call takes less than a second. */
const MOST_WAIT_US = 500_000;

/** A loop that runs while {@linkcode turn} is called. One for each thread. */
export class BlockingLoop extends EpollLoop {
  /** Now, in milliseconds; a call of the C library. */
  readonly nowMs: () => number;
  readonly #socketAddress: SocketAddress;

  /** @throws {Error} If the system does not allow it. */
  constructor() {
    const library = cLibrary();
    const arena = new Arena(library);
    super(library, arena, new LinuxEpollCalls(library, arena));
    this.nowMs = monotonicClock(library, arena);
    this.#socketAddress = new SocketAddress(library, arena);
  }

  /** Opens a connection to a port of 127.0.0.1. */
  connect(port: number, handler: ConnectHandler): void {
    new LinuxConnect(this, this.#socketAddress, { address: "127.0.0.1", port }, handler);
  }

  /**
   * Handles what was deferred and one batch of events.
   *
   * @param waitUs How long to wait for the first of them, where nothing was deferred.
   * @throws {Error} Where the kernel cannot wait for less than a millisecond (before Linux 5.11).
   */
  turn(waitUs: number): void {
    this.handle(this.hasDeferred ? 0 : Math.max(0, Math.min(Math.ceil(waitUs), MOST_WAIT_US)));
    if (!this.waits) throw new Error("the system has no epoll_pwait2");
  }

  /** Its owner asks for turns. */
  protected override schedule(): void {}
}
