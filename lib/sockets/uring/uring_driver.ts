/**
 * The driver of Linux over the C library and io_uring, for TCP and unix sockets.
 *
 * @module
 */

import { Arena } from "../linux/arena.ts";
import { cLibrary } from "../linux/c_library.ts";
import { LinuxConnect } from "../linux/linux_connect.ts";
import { LinuxListener } from "../linux/linux_listener.ts";
import { monotonicClock } from "../linux/monotonic_clock.ts";
import type { UringRemains } from "../linux/remains.ts";
import { SocketAddress } from "../linux/socket_address.ts";
import { LinuxCalls, type SystemCalls } from "../linux/system_calls.ts";
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
import { URING_BYTES } from "./memory.ts";
import { type RingFaults, UringLoop } from "./uring_loop.ts";

/** What tests put in place of the system. */
export interface UringFaults extends RingFaults {
  calls(calls: SystemCalls, arena: Arena): SystemCalls;
}

const NO_FAULTS: UringFaults = { calls: (calls) => calls, ring: (ring) => ring };

/** The driver `uring`. One for each thread, for as long as the thread lasts. */
export class UringDriver implements SocketDriver {
  readonly name = "uring";
  readonly scratch: Uint8Array<ArrayBuffer>;
  readonly #loop: UringLoop;
  readonly #socketAddress: SocketAddress;

  /**
   * Begins to wait for events.
   *
   * @throws {Error} If the system or the runtime does not allow it.
   */
  constructor(faults: UringFaults = NO_FAULTS) {
    const library = cLibrary();
    const arena = new Arena(library, URING_BYTES);
    this.scratch = arena.scratch;
    this.#socketAddress = new SocketAddress(library, arena);
    sharedTime.readBy(monotonicClock(library, arena));
    this.#loop = new UringLoop(library, arena, faults.calls(new LinuxCalls(library, arena), arena), faults);
  }

  /** What remains of it when its thread has ended, for `closeRemains`. */
  get remains(): UringRemains {
    return this.#loop.remains;
  }

  listen(target: ListenTarget, handler: AcceptHandler): ListeningSocket {
    return new LinuxListener(this.#loop, this.#socketAddress, target, handler);
  }

  connect(target: ConnectTarget, handler: ConnectHandler): PendingConnect {
    return new LinuxConnect(this.#loop, this.#socketAddress, target, handler);
  }

  flush(): void {
    this.#loop.flush();
  }

  /** Calls `arrived` once an event of a descriptor that is ready has arrived, as it soon does where the loop is woken. */
  tryEvent(arrived: () => void): void {
    const descriptor = cLibrary().eventfd(1, 0);
    const come = () => {
      this.#loop.close(descriptor);
      arrived();
    };
    this.#loop.watchConnecting(descriptor, { ready: come, proceed() {} });
  }
}
