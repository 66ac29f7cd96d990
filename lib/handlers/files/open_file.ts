/**
 * A file that is open for reading: from any place in it, and by several responses at once.
 *
 * @module
 */

import { closeSync, read } from "node:fs";
import { type FileStamp, stampOf } from "./file_stamp.ts";

/** An open file. Its holder disposes of it. */
export interface OpenFile extends Disposable {
  /** The system's descriptor, valid until it is disposed of; undefined where it is not known. */
  readonly descriptor: number | undefined;
  /** Reads into `buffer` from a place in the file. Returns the number of bytes, 0 at its end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Its state now. */
  stamp(): Promise<FileStamp>;
  /** As {@linkcode stamp}; the system has it in memory. */
  stampSync(): FileStamp;
}

/** A file by its descriptor. */
export class DescriptorFile implements OpenFile {
  readonly descriptor: number;
  /** Opens the same file, even if another one is at its path now. */
  readonly #link: string;
  /** For reading the state, which takes a third of the time that the link takes. Opened when it is needed again. */
  #state: Deno.FsFile | undefined;
  #looked = false;
  #reads = 0;
  #disposed = false;

  /** Takes over a descriptor of the system. */
  constructor(descriptor: number, link: string) {
    this.descriptor = descriptor;
    this.#link = link;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    this.#reads++;
    try {
      return await new Promise((resolve, reject) => {
        read(this.descriptor, buffer, 0, buffer.length, position, (error, count) => {
          if (error) reject(error);
          else resolve(count);
        });
      });
    } finally {
      this.#reads--;
      if (this.#disposed) this.#close();
    }
  }

  async stamp(): Promise<FileStamp> {
    return stampOf(await (this.#state?.stat() ?? Deno.stat(this.#link)));
  }

  stampSync(): FileStamp {
    if (this.#looked) this.#state ??= Deno.openSync(this.#link);
    this.#looked = true;
    return stampOf(this.#state?.statSync() ?? Deno.statSync(this.#link));
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#state?.close();
    this.#close();
  }

  /** Closes it after the last read: its number could be that of another file in the middle of one. */
  #close(): void {
    if (this.#reads === 0) closeSync(this.descriptor);
  }
}

/** A file of the runtime. It is read by one response at a time. */
export class RuntimeFile implements OpenFile {
  readonly descriptor = undefined;
  readonly #file: Deno.FsFile;
  #position = 0;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (position !== this.#position) await this.#file.seek(position, Deno.SeekMode.Start);
    const count = await this.#file.read(buffer) ?? 0;
    this.#position = position + count;
    return count;
  }

  async stamp(): Promise<FileStamp> {
    return stampOf(await this.#file.stat());
  }

  stampSync(): FileStamp {
    return stampOf(this.#file.statSync());
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
