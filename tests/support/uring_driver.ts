/**
 * The driver `uring` with system calls and requests into which faults can be put.
 *
 * @module
 */

import { faultyUringDriver } from "./faulty_uring_driver.ts";

const faulty = faultyUringDriver();

/** The driver of this thread. */
export const uringDriver = faulty.driver;
/** The system calls of {@linkcode uringDriver}. */
export const faultyCalls = faulty.calls;
/** The requests of {@linkcode uringDriver}. */
export const faultyUring = faulty.ring;
