/**
 * A log file: appended to, opened anew when it was moved away, and rotated by BWS where that is configured.
 *
 * @module
 */

import { reportTrouble } from "./log_trouble.ts";
import { tidy } from "./old_files.ts";
import { periodOf, rotatedName, type Rotation } from "./rotation.ts";
import { linesIn, LinesLost } from "./sink.ts";

/**
 * Appends to one file. Owned by one log of the process, so that it is rotated once, whatever the number of workers; another
 * process that writes the same file notices within a second that it was moved.
 */
export class FileSink {
  readonly #path: string;
  readonly #rotation: Rotation | undefined;
  readonly #now: () => number;
  #file: Deno.FsFile;
  #checkedMs: number;
  #size = 0;
  /** When the file was last written, in milliseconds since 1970. */
  #writtenMs = 0;
  /** The header that the lines of the file have. */
  #header: string | undefined;
  /** Whether the file ends within a line, because a write failed. */
  #torn = false;
  #reported = false;
  /** No rotation is tried before; after one that failed. */
  #retryMs = 0;
  #writing: Promise<void> = Promise.resolve();
  #tidying: Promise<void> = Promise.resolve();

  /**
   * @param rotation undefined for no rotation.
   * @param now For tests.
   * @throws {Error} If the file cannot be opened for appending.
   */
  constructor(path: string, rotation?: Rotation, now: () => number = () => Date.now()) {
    this.#path = path;
    this.#rotation = rotation;
    this.#now = now;
    this.#file = Deno.openSync(path, { append: true, create: true });
    this.#checkedMs = now();
    this.#adopt();
    if (rotation !== undefined) this.#tidy(rotation);
  }

  /** Appends lines. */
  write(bytes: Uint8Array, header?: string): Promise<void> {
    const written = this.#writing.then(() => this.#write(bytes, header));
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Opens the file anew behind what is being written, if another file is at its path now, or none. */
  reopen(): void {
    this.#writing = this.#writing.then(() => this.#reopen());
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  /** Settles when old files are compressed and deleted. For tests. */
  get tidied(): Promise<void> {
    return this.#tidying;
  }

  async #write(bytes: Uint8Array, header: string | undefined): Promise<void> {
    const nowMs = this.#now();
    if (nowMs - this.#checkedMs >= CHECK_MS || header !== undefined) {
      this.#checkedMs = nowMs;
      this.#reopen();
    }
    const rotation = this.#rotation;
    if (rotation !== undefined && this.#due(rotation, bytes.length, nowMs)) this.#rotate(rotation, bytes.length, nowMs);
    let written = 0;
    try {
      if (this.#torn) await this.#append(NEWLINE);
      this.#torn = false;
      if (header !== undefined && (this.#size === 0 || header !== this.#header)) {
        const lines = new TextEncoder().encode(header);
        for (let at = 0; at < lines.length;) at += await this.#append(lines.subarray(at));
        this.#header = header;
      }
      while (written < bytes.length) written += await this.#append(bytes.subarray(written));
    } catch (error) {
      if (written > 0) this.#torn = bytes[written - 1] !== NEWLINE[0];
      throw new LinesLost(linesIn(bytes.subarray(written)), error);
    }
    this.#writtenMs = nowMs;
  }

  #reopen(): void {
    try {
      const { ino, dev, size } = this.#file.statSync();
      this.#size = size;
      const now = statOrNone(this.#path);
      if (now !== undefined && now.ino === ino && now.dev === dev) return;
      this.#open();
    } catch (error) {
      // The old file stays in use: lines in a moved file are better than no lines.
      this.#report("open", error);
    }
  }

  /** Appends some of the bytes. */
  async #append(bytes: Uint8Array): Promise<number> {
    const count = await this.#file.write(bytes);
    this.#size += count;
    return count;
  }

  #due({ size, every }: Rotation, bytes: number, nowMs: number): boolean {
    if (this.#size === 0 || nowMs < this.#retryMs) return false;
    if (size !== undefined && this.#size + bytes > size) return true;
    return every !== undefined && periodOf(nowMs, every) > periodOf(this.#writtenMs, every);
  }

  #rotate(rotation: Rotation, bytes: number, nowMs: number): void {
    try {
      // Another process may have rotated it since the last check.
      this.#reopen();
      if (!this.#due(rotation, bytes, nowMs)) return;
      const { mode } = this.#file.statSync();
      let atMs = nowMs;
      while (isTaken(rotatedName(this.#path, atMs))) atMs++;
      Deno.renameSync(this.#path, rotatedName(this.#path, atMs));
      this.#open(mode);
      this.#tidy(rotation);
    } catch (error) {
      // Lines in a file that is too large are better than no lines.
      this.#report("rotate", error);
      this.#retryMs = nowMs + RETRY_MS;
    }
  }

  #open(mode?: number | null): void {
    const fresh = Deno.openSync(this.#path, { append: true, create: true });
    // As the old one, whatever the umask.
    if (mode !== undefined && mode !== null && Deno.build.os !== "windows") Deno.chmodSync(this.#path, mode & 0o777);
    this.#file.close();
    this.#file = fresh;
    this.#adopt();
    this.#torn = false;
    this.#header = undefined;
  }

  #adopt(): void {
    const { size, mtime } = this.#file.statSync();
    const nowMs = this.#now();
    this.#size = size;
    this.#writtenMs = size === 0 ? nowMs : mtime?.getTime() ?? nowMs;
  }

  // One after the other, beside the writing.
  #tidy(rotation: Rotation): void {
    this.#tidying = this.#tidying.then(() => tidy(this.#path, rotation, this.#now)).catch((error) =>
      this.#report("compress or delete old files of", error)
    );
  }

  // Once, as it would be the same at each try.
  #report(what: string, error: unknown): void {
    if (!this.#reported) reportTrouble(what, this.#path, error);
    this.#reported = true;
  }
}

function isTaken(path: string): boolean {
  return statOrNone(path) !== undefined || statOrNone(`${path}.gz`) !== undefined;
}

function statOrNone(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

/** How often the file is checked for having been moved away or truncated, as log rotation does. */
const CHECK_MS = 1000;
/** Time after which a rotation that failed is tried again. */
const RETRY_MS = 60_000;
const NEWLINE = new Uint8Array([0x0a]);
