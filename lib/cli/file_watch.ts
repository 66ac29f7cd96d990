/**
 * Watches a file for changes of any kind: written in place, replaced, behind a symbolic link that is changed, or mounted.
 *
 * @module
 */

// @ts-types="../../types/std/path.d.ts"
import { basename } from "@std/path/basename";
// @ts-types="../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
// @ts-types="../../types/std/path.d.ts"
import { resolve } from "@std/path/resolve";

/** Changes within this time are merged: editors write in several steps. */
const SETTLE_MS = 200;
/** Interval at which the file is checked, even without an event of the system. */
const LOOK_MS = 2000;

/** A watch over a file. */
export interface FileWatch {
  close(): void;
}

/**
 * Calls `onChange` after the contents of the file at `path` have changed.
 *
 * The folder of the file is watched, since editors replace the file. There are no events in the folder for a file that is
 * mounted by itself, for the target of a symbolic link, and for Kubernetes' `..data`, so the file is also checked regularly.
 *
 * @param lookMs Interval of the checks, in milliseconds.
 * @throws {Deno.errors.NotFound} When the folder does not exist.
 */
export function watchFile(path: string, onChange: () => void, lookMs = LOOK_MS): FileWatch {
  const watcher = Deno.watchFs(dirname(resolve(path)), { recursive: false });
  const name = basename(path);
  let settling: ReturnType<typeof setTimeout> | undefined;
  let last = contentsOf(path);
  let stamp = stampOf(path);

  function look(): void {
    settling = undefined;
    const now = contentsOf(path);
    // The file is absent for a moment, or another file of the folder has changed.
    if (now === undefined || (last !== undefined && sameBytes(now, last))) return;
    last = now;
    onChange();
  }
  function settle(): void {
    clearTimeout(settling);
    settling = setTimeout(look, SETTLE_MS);
  }
  // By the stamp first: most looks find nothing, and the file need not be read then.
  const timer = setInterval(() => {
    const now = stampOf(path);
    if (now === stamp) return;
    stamp = now;
    if (settling === undefined) settle();
  }, lookMs);
  (async () => {
    try {
      for await (const { kind, paths } of watcher) {
        if (kind === "access") continue;
        // Only events of the file itself postpone the check: a log in the same folder would postpone it forever.
        if (settling !== undefined && !paths.some((changed) => basename(changed) === name)) continue;
        settle();
      }
    } catch {
      // No more events, for example because the folder was removed. The regular checks continue.
    }
  })();
  return {
    close: () => {
      clearTimeout(settling);
      clearInterval(timer);
      watcher.close();
    },
  };
}

// Symbolic links are followed. An equal stamp means that the file was neither written nor replaced.
function stampOf(path: string): string | undefined {
  try {
    const { mtime, ctime, size, ino, dev } = Deno.statSync(path);
    return `${mtime?.getTime()} ${ctime?.getTime()} ${size} ${ino} ${dev}`;
  } catch {
    return undefined;
  }
}

function contentsOf(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch {
    return undefined;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
