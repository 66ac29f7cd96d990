/**
 * The socket driver of this thread: the runtime's unless another was chosen before the first socket is opened.
 *
 * @module
 */

import { runtimeDriver } from "./runtime_driver.ts";
import type { SocketDriver } from "./socket.ts";

let chosen: SocketDriver = runtimeDriver;

/** The driver of this thread. */
export function socketDriver(): SocketDriver {
  return chosen;
}

/** Chooses the driver of this thread. Sockets that are open keep theirs. */
export function useSocketDriver(driver: SocketDriver): void {
  chosen = driver;
}
