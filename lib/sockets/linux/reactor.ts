/**
 * The reactor of the runtime, whose epoll descriptor a loop waits for beside its own events, so that the runtime has its turn
 * when it has something to do.
 *
 * @module
 */

import { readProc } from "./proc_file.ts";

/** Descriptors above are not looked at. */
const MAX_DESCRIPTOR = 4096;
/** So many numbers without a descriptor say that no more follow. */
const MAX_GAP = 64;

/**
 * The epoll descriptor of the reactor of this thread: the one that watches `eventfd`. It is only to be waited for. -1 if it
 * is not found.
 *
 * @param eventfd What wakes the loop, see {@link RuntimeWake}.
 * @param other Another epoll descriptor that watches it, which is not the reactor's.
 */
export function reactorDescriptor(eventfd: number, other = -1): number {
  const watches = new RegExp(`^tfd:\\s*${eventfd}\\s`, "m");
  for (let descriptor = 3, gap = 0; descriptor < MAX_DESCRIPTOR && gap < MAX_GAP; descriptor++) {
    const text = readProc(`fdinfo/${descriptor}`);
    gap = text === "" ? gap + 1 : 0;
    if (descriptor !== other && watches.test(text)) return descriptor;
  }
  return -1;
}
