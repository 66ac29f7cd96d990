/**
 * Opens the driver `uring` where it works.
 *
 * @module
 */

import { tryDriver } from "../linux/try_driver.ts";
import type { SocketDriver } from "../socket.ts";
import { UringDriver } from "./uring_driver.ts";

let opened: Promise<SocketDriver | string> | undefined;

/** The driver of this thread, or why it does not work here, in a few words. */
export function openUring(): Promise<SocketDriver | string> {
  return opened ??= tryDriver(() => new UringDriver(), "io_uring");
}
