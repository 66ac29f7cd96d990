/**
 * Whether the driver `epoll` works here. Where it does not, as on other systems or where the system call for asynchronous
 * polls is forbidden, its tests are skipped.
 *
 * @module
 */

import { openEpoll } from "../../lib/sockets/epoll/open_epoll.ts";

const opened = await openEpoll();

/** Whether tests of the driver can run. */
export const epollWorks: boolean = typeof opened !== "string";

if (typeof opened === "string") {
  Deno.stdout.writeSync(new TextEncoder().encode(`skipped: tests of the socket driver epoll, since ${opened}\n`));
}
