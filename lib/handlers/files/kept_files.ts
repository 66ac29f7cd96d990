/**
 * Large files that are kept open for a moment after a response was sent from them by the system, so that a file that is
 * asked for often is not opened for each request. A file counts as the one that was found as long as its state is the
 * same: a file that is replaced, renamed or written is opened anew.
 *
 * @module
 */

import type { FoundFile, OpenedFile } from "./file_root.ts";
import { sameStamp } from "./file_stamp.ts";

/** How long a file that nobody asks for is kept open, at least; at most twice as long. */
const KEPT_MS = 1000;
/** Most files that are kept open. */
const MAX_KEPT = 64;

interface Kept {
  readonly opened: OpenedFile;
  /** Whether it was asked for since the last sweep. */
  used: boolean;
}

/** Open files by path. Owned by one file server. */
export class KeptFiles {
  readonly #kept = new Map<string, Kept>();
  #sweep: number | undefined;
  #closed = false;

  /** The file that was found, if it is open and has not changed; the caller releases it. */
  take({ realPath, stamp }: FoundFile): OpenedFile | undefined {
    const kept = this.#kept.get(realPath);
    if (kept === undefined) return undefined;
    const { opened } = kept;
    if (!sameStamp(opened.stamp, stamp) || !sameStamp(opened.file.stampSync(), stamp)) {
      this.#drop(realPath, kept);
      return undefined;
    }
    kept.used = true;
    return opened.use();
  }

  /** Keeps a file that is being sent. */
  keep(opened: OpenedFile): void {
    const { realPath } = opened;
    if (this.#closed || this.#kept.get(realPath)?.opened === opened) return;
    const before = this.#kept.get(realPath);
    if (before !== undefined) this.#drop(realPath, before);
    if (this.#kept.size === MAX_KEPT) {
      const [[oldest, kept]] = this.#kept;
      this.#drop(oldest, kept);
    }
    this.#kept.set(realPath, { opened: opened.use(), used: true });
    this.#sweep ??= setInterval(() => this.#closeUnused(), KEPT_MS) as unknown as number;
    Deno.unrefTimer(this.#sweep);
  }

  /** Closes all that are not in use, and keeps none from now on. */
  close(): void {
    this.#closed = true;
    for (const [path, kept] of this.#kept) this.#drop(path, kept);
  }

  #closeUnused(): void {
    for (const [path, kept] of this.#kept) {
      if (!kept.used) this.#drop(path, kept);
      kept.used = false;
    }
  }

  #drop(path: string, { opened }: Kept): void {
    this.#kept.delete(path);
    opened.release();
    if (this.#kept.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
