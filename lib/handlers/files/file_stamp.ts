/**
 * Identifies the state of a file: identity, size and times. Deno gives times in whole milliseconds, and the clocks of
 * file systems are coarser, so a file that was written a moment ago may be written again without a change of its stamp:
 * see {@linkcode settledAt}.
 *
 * @module
 */

/** One state of one file. */
export interface FileStamp {
  /** Size in bytes. */
  readonly sizeBytes: number;
  /** Modification time of the content, in milliseconds since 1970; undefined if it is not known. */
  readonly modifiedMs: number | undefined;
  /** Change time of content or attributes; undefined if the system has none. */
  readonly changedMs: number | undefined;
  /** Device of the file. */
  readonly device: number;
  /** Inode number of the file on its device; null if the system has none (Windows). */
  readonly inode: number | null;
}

/** The stamp of a file. */
export function stampOf(info: Deno.FileInfo): FileStamp {
  return {
    sizeBytes: info.size,
    modifiedMs: knownTime(info.mtime),
    changedMs: info.ctime?.getTime(),
    device: info.dev,
    inode: info.ino,
  };
}

/**
 * A modification time in milliseconds since 1970. The first two seconds of 1970 are not a time but a constant, which
 * reproducible stores and images (Nix, OSTree) set for all files, whatever they contain.
 */
function knownTime(time: Date | null): number | undefined {
  const timeMs = time?.getTime();
  return timeMs === undefined || (timeMs >= 0 && timeMs < 2000) ? undefined : timeMs;
}

/** Whether the content of `a` was modified before that of `b`, as far as that is known. */
export function olderThan(a: FileStamp, b: FileStamp): boolean {
  return a.modifiedMs !== undefined && b.modifiedMs !== undefined && a.modifiedMs < b.modifiedMs;
}

/** Whether both stamps are of the same file; true if the system has no inode numbers. */
export function sameFile(a: FileStamp, b: FileStamp): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** Whether both stamps are of the same state of the same file. */
export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return sameFile(a, b) && a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs &&
    a.changedMs === b.changedMs;
}

/**
 * Whether a stamp that was taken at `nowMs` is old enough that a later change must be visible in it. The coarsest clock
 * of a file system in use (FAT) ticks every two seconds.
 */
export function settledAt({ modifiedMs, changedMs }: FileStamp, nowMs: number): boolean {
  const timeMs = modifiedMs ?? changedMs;
  return timeMs !== undefined && nowMs - timeMs > SETTLING_MS;
}

const SETTLING_MS = 2000;
