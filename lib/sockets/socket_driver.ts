/**
 * The socket driver of this thread. It is chosen once, before the first socket is opened.
 *
 * @module
 */

import type { SocketDriver } from "./socket.ts";

let chosen: SocketDriver | undefined;

/** The driver of this thread. */
export function socketDriver(): SocketDriver {
  if (chosen === undefined) throw new Error("No socket driver is chosen");
  return chosen;
}

/** Chooses the driver of this thread. Sockets that are open keep theirs. */
export function useSocketDriver(driver: SocketDriver): void {
  chosen = driver;
}
