/**
 * Opens the driver `epoll` where it works.
 *
 * @module
 */

import { tryDriver } from "../linux/try_driver.ts";
import type { SocketDriver } from "../socket.ts";
import { EpollDriver } from "./epoll_driver.ts";

let opened: Promise<SocketDriver | string> | undefined;

/** The driver of this thread, or why it does not work here, in a few words. */
export function openEpoll(): Promise<SocketDriver | string> {
  return opened ??= tryDriver(() => new EpollDriver(), "an epoll descriptor");
}
