/**
 * How many sockets this process has open, those of all its threads: for programs of their own, as test files that run in
 * parallel share one process.
 *
 * @module
 */

/** Counts the sockets among the process's open files, listening ones included; -1 where there is no /proc. */
export function openSockets(): number {
  try {
    let count = 0;
    for (const { name } of Deno.readDirSync("/proc/self/fd")) {
      try {
        if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("socket:")) count++;
      } catch {
        // The handle that the folder itself was read with.
      }
    }
    return count;
  } catch {
    return -1;
  }
}
