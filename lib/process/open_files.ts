/**
 * Open files and sockets of this process, and how many it may have.
 *
 * @module
 */

/**
 * The soft limit of open files; undefined where unknown. Deno raises the soft limit to the hard limit when it starts, so the
 * soft limit is read.
 */
export function openFileLimit(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const found = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"));
    return found === null ? undefined : Number(found[1]);
  } catch {
    // Deno allows access to /proc only with all permissions.
    return undefined;
  }
}

/** How many are open, all threads together; undefined where unknown. */
export function openFileCount(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const { size } = Deno.statSync(FOLDER);
    // Kernels before 6.2 give 0.
    return size > 0 ? size : Iterator.from(Deno.readDirSync(FOLDER)).reduce((count) => count + 1, 0) - 1;
  } catch {
    return undefined;
  }
}

const FOLDER = "/proc/self/fd";
