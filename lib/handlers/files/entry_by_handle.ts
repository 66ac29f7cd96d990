/**
 * Looks a path up by opening it and reading the path of what was opened. The handle is of the kind that only identifies
 * a file (`O_PATH`): it needs no read permission, does not wait for the other end of a FIFO, and does nothing to a
 * device. From then on the file is accessed through the handle, so a link or folder that is replaced afterwards has no
 * effect.
 *
 * Only Linux has such handles, and the runtime gives access to `/proc` only to programs with all permissions.
 *
 * @module
 */

import { closeSync, constants, open, openSync } from "node:fs";
import type { FileEntry } from "./file_entry.ts";
import { DescriptorFile, type OpenFile } from "./open_file.ts";

/** A `LookUp`; see {@linkcode handlePathsReadable}. */
export async function entryByHandle(path: string): Promise<FileEntry> {
  const entry = new HandleEntry(await openDescriptor(path, O_PATH));
  try {
    await entry.look();
    return entry;
  } catch (error) {
    entry[Symbol.dispose]();
    throw error;
  }
}

/** Whether the path of a handle can be read on this system and with the permissions of this program. */
export function handlePathsReadable(): boolean {
  return pathsReadable ??= Deno.build.os === "linux" && ["/", "/proc"].every(canReadPath);
}

let pathsReadable: boolean | undefined;

function canReadPath(path: string): boolean {
  let handle: number | undefined;
  try {
    handle = openSync(path, O_PATH);
    return Deno.readLinkSync(HANDLES + handle) === path;
  } catch {
    return false; // no /proc, or permissions are missing
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

const HANDLES = "/proc/self/fd/";
/** Not among the constants of `node:fs`; the same on all architectures that the runtime supports. */
const O_PATH = 0o10000000 | constants.O_RDONLY;

class HandleEntry implements FileEntry {
  readonly #handle: number;
  /** Link to the opened file, even if another file is at its path now. */
  readonly #link: string;
  realPath = "";
  info!: Deno.FileInfo;
  #disposed = false;

  constructor(handle: number) {
    this.#handle = handle;
    this.#link = HANDLES + handle;
  }

  async look(): Promise<void> {
    // Synchronous: the kernel reads it from memory, without disk access.
    this.realPath = Deno.readLinkSync(this.#link);
    this.info = await Deno.stat(this.#link);
  }

  async open(): Promise<OpenFile> {
    const descriptor = await openDescriptor(this.#link, constants.O_RDONLY);
    return new DescriptorFile(descriptor, HANDLES + descriptor);
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

function openDescriptor(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, (error, descriptor) => {
      if (error === null) resolve(descriptor);
      else if (error.code === "EACCES" || error.code === "EPERM") {
        reject(new Deno.errors.PermissionDenied(error.message, { cause: error }));
      } else reject(error);
    });
  });
}
