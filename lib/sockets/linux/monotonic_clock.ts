/**
 * The time of `performance.now()`, read from the C library: a quarter of the cost of a call into the runtime.
 *
 * @module
 */

import { type Arena, ARGUMENTS } from "./arena.ts";
import type { CLibrary } from "./c_library.ts";

const CLOCK_MONOTONIC = 1;

/** Where in the arena the structure timespec lies. */
const TIME = ARGUMENTS.start + 576;

/** A function that returns the milliseconds of `performance.now()`, for one thread. */
export function monotonicClock(library: CLibrary, arena: Arena): () => number {
  const { words, address } = arena;
  const seconds = TIME >> 2;
  const readMs = (): number => {
    library.clock_gettime(CLOCK_MONOTONIC, address + TIME);
    // The upper halves of both numbers are 0: seconds count from the start of the machine.
    return words[seconds] * 1000 + words[seconds + 2] / 1e6;
  };
  // Taken first, so that this clock is never ahead of the runtime's.
  const runtimeMs = performance.now();
  const offsetMs = runtimeMs - readMs();
  return () => readMs() + offsetMs;
}
