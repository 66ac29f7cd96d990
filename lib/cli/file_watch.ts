/**
 * Watching a file for changes, in whatever way it changes: written in place, replaced by another, behind links that are
 * set anew, or mounted over.
 *
 * @module
 */

// @ts-types="../../types/std/path.d.ts"
import { basename } from "@std/path/basename";
// @ts-types="../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
// @ts-types="../../types/std/path.d.ts"
import { resolve } from "@std/path/resolve";

/** Changes within this time are one: editors write in several steps. */
const SETTLE_MS = 200;
/** How often the file is looked at, whatever the system tells. */
const LOOK_MS = 2000;

/** A watch over a file. */
export interface FileWatch {
  /** Ends it. */
  close(): void;
}

/**
 * Calls `onChange` after the contents of the file at `path` have changed.
 *
 * Its folder is watched, since editors put another file in its place. That is not all: of a file that is mounted by itself,
 * of one behind a link, and of Kubernetes' `..data` the system tells nothing there, so the file is looked at as well.
 *
 * @param lookMs How often it is looked at, in milliseconds.
 * @throws {Deno.errors.NotFound} When there is no such folder.
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
    // Gone for a moment, or another file of the folder.
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
        // Only the file itself puts the look off: a log that is written beside it would do so for ever.
        if (settling !== undefined && !paths.some((changed) => basename(changed) === name)) continue;
        settle();
      }
    } catch {
      // The system tells no more, as of a folder that is gone: the file is looked at still.
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

// Of what the path leads to, through all links: the same stamp tells that nothing was written or replaced.
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
