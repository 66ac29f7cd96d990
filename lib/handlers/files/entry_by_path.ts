/**
 * Looks a path up by resolving it and reading the state of the result, for systems on which the path of a handle cannot
 * be read. Each step uses a path, so a folder that another process replaces by a link between two steps is detected
 * only by another look: the opened file must be, several times in a row, the file at a path without links. A process
 * that may write inside the root, and that replaces the folder at exactly the wrong moment each time, is not detected.
 * `entry_by_handle.ts` has no such gap.
 *
 * @module
 */

import type { FileEntry } from "./file_entry.ts";
import { type OpenFile, RuntimeFile } from "./open_file.ts";
import { type FileStamp, sameFile, stampOf } from "./file_stamp.ts";

/** A `LookUp`. */
export async function entryByPath(path: string): Promise<FileEntry> {
  const realPath = await Deno.realPath(path);
  return new PathEntry(realPath, await Deno.lstat(realPath));
}

/**
 * A process that swaps at random passes each round with a probability of at most 1 in 4, and all rounds with 1 in
 * 65,536.
 */
const ROUNDS = 8;

class PathEntry implements FileEntry {
  readonly realPath: string;
  readonly info: Deno.FileInfo;

  constructor(realPath: string, info: Deno.FileInfo) {
    this.realPath = realPath;
    this.info = info;
  }

  async open(): Promise<OpenFile | undefined> {
    // Checked again just before: opening a FIFO would wait for a writer, and a device may act on it.
    const { isFile, isDirectory } = await Deno.lstat(this.realPath);
    if (!isFile && !isDirectory) return undefined;
    const file = await Deno.open(this.realPath);
    try {
      if (await this.#liesAtPath(stampOf(await file.stat()))) return new RuntimeFile(file);
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
    return undefined;
  }

  async *names(): AsyncIterable<string> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(this.realPath)) names.push(name);
    if (await this.#liesAtPath(stampOf(this.info))) yield* names;
  }

  [Symbol.dispose](): void {}

  async #liesAtPath(stamp: FileStamp): Promise<boolean> {
    for (let round = 0; round < ROUNDS; round++) {
      if (await Deno.realPath(this.realPath) !== this.realPath) return false;
      if (!sameFile(stampOf(await Deno.lstat(this.realPath)), stamp)) return false;
    }
    return true;
  }
}
