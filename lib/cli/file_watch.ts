/**
 * Watching a file for changes.
 *
 * @module
 */

import { basename, dirname, resolve } from "node:path";

/** Changes within this time are one: editors write in several steps. */
const SETTLE_MS = 200;

/** A watch over a file. */
export interface FileWatch {
  /** Ends it. */
  close(): void;
}

/**
 * Calls `onChange` after the file at `path` has changed. Its folder is watched, since editors, and Kubernetes, put another
 * file in its place.
 *
 * @throws {Deno.errors.NotFound} When there is no such folder.
 */
export function watchFile(path: string, onChange: () => void): FileWatch {
  const watcher = Deno.watchFs(dirname(resolve(path)), { recursive: false });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = stampOf(path);
  const name = basename(path);
  const look = () => {
    timer = undefined;
    const now = stampOf(path);
    // Gone for a moment, or another file of the folder.
    if (now === undefined || now === last) return;
    last = now;
    onChange();
  };
  (async () => {
    for await (const { kind, paths } of watcher) {
      if (kind === "access") continue;
      // Only the file itself puts the look off: a log that is written beside it would do so for ever.
      if (timer !== undefined && !paths.some((changed) => basename(changed) === name)) continue;
      clearTimeout(timer);
      timer = setTimeout(look, SETTLE_MS);
    }
  })();
  return {
    close: () => {
      clearTimeout(timer);
      watcher.close();
    },
  };
}

function stampOf(path: string): string | undefined {
  try {
    const { mtime, size, ino } = Deno.statSync(path);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch {
    return undefined;
  }
}
