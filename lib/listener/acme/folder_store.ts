/**
 * A store in a folder that only its user can read. A value is a file, which is written beside its place, flushed to the
 * disk and moved there. A lock is a lock of the system on a file, so that it ends with its process.
 *
 * @module
 */

// @ts-types="../../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
import { type CertificateStore, checkKey, lockPause, type StoreLock } from "./certificate_store.ts";

/** A folder as a store. Holds no file open between calls, except of locks. */
export class FolderStore implements CertificateStore {
  readonly place: string;

  /** @param folder Made with the first write. */
  constructor(folder: string) {
    this.place = folder;
  }

  async get(key: string): Promise<string | undefined> {
    try {
      return await Deno.readTextFile(this.#path(key));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
      throw error;
    }
  }

  async put(key: string, value: string): Promise<void> {
    const path = this.#path(key);
    await this.#makeFolder(dirname(path));
    const beside = `${path}.${crypto.randomUUID()}.new`;
    try {
      const file = await Deno.open(beside, { write: true, createNew: true, mode: 0o600 });
      try {
        const bytes = new TextEncoder().encode(value);
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
        await file.sync();
      } finally {
        file.close();
      }
      await Deno.rename(beside, path);
    } catch (error) {
      await Deno.remove(beside).catch(() => {});
      throw error;
    }
    await syncFolder(dirname(path));
  }

  async delete(key: string): Promise<void> {
    await Deno.remove(this.#path(key)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  async list(folder: string): Promise<readonly string[]> {
    const keys: string[] = [];
    try {
      for await (const entry of Deno.readDir(this.#path(folder))) {
        if (entry.isFile && !entry.name.endsWith(".new")) keys.push(`${folder}/${entry.name}`);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return keys.sort();
  }

  async lock(name: string, signal?: AbortSignal): Promise<StoreLock> {
    const path = this.#path(`locks/${name.replaceAll("/", "_")}.lock`);
    await this.#makeFolder(dirname(path));
    const file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
    try {
      // The file stays: if it were removed, two processes could hold locks of two files of one name.
      while (!await file.tryLock(true)) await lockPause(LOCK_POLL_MS, signal);
      signal?.throwIfAborted();
    } catch (error) {
      file.close();
      throw error;
    }
    return { lost: NEVER, [Symbol.asyncDispose]: () => Promise.resolve(file.close()) };
  }

  close(): void {}

  async #makeFolder(folder: string): Promise<void> {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  }

  #path(key: string): string {
    checkKey(key);
    return `${this.place}/${key}`;
  }
}

/** So that the file is there after a power failure, too; not all systems can. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using opened = await Deno.open(folder);
    await opened.sync();
  } catch {
    // The file itself was flushed.
  }
}

/** The system keeps a lock as long as its process. */
const NEVER = new AbortController().signal;
const LOCK_POLL_MS = 200;
