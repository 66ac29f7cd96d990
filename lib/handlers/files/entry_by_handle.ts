/**
 * Looks a path up by opening it and asking the system what was opened. The handle is of the kind that only names a file
 * (`O_PATH`): it needs no right to read, waits for nobody at the other end of a FIFO and does nothing to a device. From
 * then on the file is reached through the handle, so a link or folder that is swapped afterwards changes nothing.
 *
 * Linux alone has this, and the runtime gives `/proc` to programs with all permissions alone.
 *
 * @module
 */

import { closeSync, constants, open, openSync } from "node:fs";
import type { FileEntry } from "./file_entry.ts";

/** A `LookUp`; see {@linkcode handlesTellPaths}. */
export async function entryByHandle(path: string): Promise<FileEntry> {
  const entry = new HandleEntry(await openHandle(path));
  try {
    await entry.look();
    return entry;
  } catch (error) {
    entry[Symbol.dispose]();
    throw error;
  }
}

/** Whether this system and this program's permissions let handles tell their paths. */
export function handlesTellPaths(): boolean {
  return tellsPaths ??= Deno.build.os === "linux" && ["/", "/proc"].every(tellsPath);
}

let tellsPaths: boolean | undefined;

function tellsPath(path: string): boolean {
  let handle: number | undefined;
  try {
    handle = openSync(path, O_PATH);
    return Deno.readLinkSync(HANDLES + handle) === path;
  } catch {
    return false; // no /proc, or not all permissions
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

const HANDLES = "/proc/self/fd/";
/** Not among the constants of `node:fs`; the same on all processors that the runtime is built for. */
const O_PATH = 0o10000000 | constants.O_RDONLY;

class HandleEntry implements FileEntry {
  readonly #handle: number;
  /** Leads to what was opened, whatever lies at its path now. */
  readonly #link: string;
  realPath = "";
  info!: Deno.FileInfo;
  #disposed = false;

  constructor(handle: number) {
    this.#handle = handle;
    this.#link = HANDLES + handle;
  }

  async look(): Promise<void> {
    // Synchronous: the kernel answers from memory, without asking a disk.
    this.realPath = Deno.readLinkSync(this.#link);
    this.info = await Deno.stat(this.#link);
  }

  open(): Promise<Deno.FsFile> {
    return Deno.open(this.#link);
  }

  async *names(): AsyncIterable<string> {
    for await (const { name } of Deno.readDir(this.#link)) yield name;
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    closeSync(this.#handle);
  }
}

function openHandle(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, O_PATH, (error, handle) => {
      if (error === null) resolve(handle);
      else if (error.code === "EACCES" || error.code === "EPERM") {
        reject(new Deno.errors.PermissionDenied(error.message, { cause: error }));
      } else reject(error);
    });
  });
}
