/**
 * The driver `uring` with system calls and requests into which faults can be put.
 *
 * @module
 */

import type { Arena } from "../../lib/sockets/linux/arena.ts";
import { UringDriver } from "../../lib/sockets/uring/uring_driver.ts";
import { FaultySystemCalls } from "./faulty_system_calls.ts";
import { FaultyUring } from "./faulty_uring.ts";

/** The system calls of {@linkcode uringDriver}. */
export let faultyCalls: FaultySystemCalls;
/** The requests of {@linkcode uringDriver}. */
export let faultyUring: FaultyUring;

let memory: Arena;

/** The driver of this thread. */
export const uringDriver: UringDriver = new UringDriver({
  calls(calls, arena) {
    memory = arena;
    return faultyCalls = new FaultySystemCalls(calls, arena);
  },
  ring: (ring, buffers) =>
    faultyUring = new FaultyUring(ring, buffers, memory, (descriptor) => faultyCalls.forget(descriptor)),
});
