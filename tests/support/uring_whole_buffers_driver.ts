/**
 * The driver `uring` with receive buffers as kernels before Linux 6.12 use them.
 *
 * @module
 */

import { faultyUringDriver } from "./faulty_uring_driver.ts";

const faulty = faultyUringDriver({ wholeBuffers: true });

/** The driver of this thread. */
export const uringDriver = faulty.driver;
/** The system calls of {@linkcode uringDriver}. */
export const faultyCalls = faulty.calls;
/** The requests of {@linkcode uringDriver}. */
export const faultyUring = faulty.ring;
