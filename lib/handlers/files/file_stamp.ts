/**
 * What tells one state of a file from another: identity, size and times. Deno gives times in whole milliseconds, and file
 * systems tick more coarsely, so a file that was written a moment ago may be written again without its stamp showing it:
 * see {@linkcode settledAt}.
 *
 * @module
 */

/** One state of one file. */
export interface FileStamp {
  /** Size in bytes. */
  readonly sizeBytes: number;
  /** Time of the last change of the content, in milliseconds since 1970; undefined where it is not known. */
  readonly modifiedMs: number | undefined;
  /** Time of the last change of content or attributes; undefined where the system has none. */
  readonly changedMs: number | undefined;
  /** Device that holds the file. */
  readonly device: number;
  /** Number of the file on its device; null where the system has none (Windows). */
  readonly inode: number | null;
}

/** The stamp in what the file system says about a file. */
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
 * A time of change in milliseconds since 1970. The first two seconds of 1970 are no time but a constant, which stores and
 * images that are to be the same each time (Nix, OSTree) give to all their files, whatever is in them.
 */
function knownTime(time: Date | null): number | undefined {
  const timeMs = time?.getTime();
  return timeMs === undefined || (timeMs >= 0 && timeMs < 2000) ? undefined : timeMs;
}

/** Whether a content was last changed before another, as far as that is known. */
export function olderThan(a: FileStamp, b: FileStamp): boolean {
  return a.modifiedMs !== undefined && b.modifiedMs !== undefined && a.modifiedMs < b.modifiedMs;
}

/** Whether both stamps are of one file; true where the system does not number files. */
export function sameFile(a: FileStamp, b: FileStamp): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** Whether both stamps are of one state of one file. */
export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return sameFile(a, b) && a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs &&
    a.changedMs === b.changedMs;
}

/**
 * Whether a stamp that was taken at `nowMs` is old enough that a later change must show in it. The coarsest clock of a
 * file system in use (FAT) ticks every two seconds.
 */
export function settledAt({ modifiedMs, changedMs }: FileStamp, nowMs: number): boolean {
  const timeMs = modifiedMs ?? changedMs;
  return timeMs !== undefined && nowMs - timeMs > SETTLING_MS;
}

const SETTLING_MS = 2000;
