/**
 * Whether the driver `uring` works here. Where it does not, as on other systems, on older kernels or where a container
 * forbids it, its tests are skipped.
 *
 * @module
 */

import { openUring } from "../../lib/sockets/uring/open_uring.ts";

const opened = await openUring();

/** Whether tests of the driver can run. */
export const uringWorks: boolean = typeof opened !== "string";

if (typeof opened === "string") {
  Deno.stdout.writeSync(new TextEncoder().encode(`skipped: tests of the socket driver uring, since ${opened}\n`));
}
