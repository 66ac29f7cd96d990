/**
 * The file of a buffered body. It loses its name as soon as it is open, so that nothing is left whatever happens, and nobody
 * else can open it; where the system does not allow that, it is removed when it is closed.
 *
 * @module
 */

import { StorageFailure } from "../../exchange/body_buffering.ts";
import { shortageOf } from "../../failure/shortage.ts";

/** An open file. Owned by one body. */
export class BodyFile {
  readonly #file: Deno.FsFile;
  readonly #folder: string;
  /** Undefined once the file has no name. */
  #path: string | undefined;

  private constructor(file: Deno.FsFile, folder: string, path: string | undefined) {
    this.#file = file;
    this.#folder = folder;
    this.#path = path;
  }

  /**
   * Creates an empty file that this user alone may read.
   *
   * @param folder Where; without it, where the system has temporary files.
   * @throws {StorageFailure} When that is not possible.
   */
  static async create(folder: string | undefined): Promise<BodyFile> {
    const where = folder ?? "the folder of temporary files";
    let path: string | undefined;
    try {
      path = await Deno.makeTempFile({ dir: folder, prefix: "bws-body-" });
      const file = await Deno.open(path, { read: true, write: true });
      const named = await Deno.remove(path).then(() => undefined, () => path);
      return new BodyFile(file, where, named);
    } catch (error) {
      if (path !== undefined) await Deno.remove(path).catch(() => {});
      throw storageFailure(error, where);
    }
  }

  /**
   * Writes at the end of the file.
   *
   * @throws {StorageFailure} When that is not possible.
   */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
    } catch (error) {
      throw storageFailure(error, this.#folder);
    }
  }

  /** Goes back to the first byte, for reading. */
  async rewind(): Promise<void> {
    await this.#file.seek(0, Deno.SeekMode.Start);
  }

  /** Reads the next bytes into `buffer`. Returns how many; 0 at the end. */
  async read(buffer: Uint8Array): Promise<number> {
    return await this.#file.read(buffer) ?? 0;
  }

  /** Closes the file, and with it its content is gone. Further calls have no effect. */
  close(): void {
    try {
      this.#file.close();
    } catch {
      // Closed before.
    }
    const path = this.#path;
    this.#path = undefined;
    if (path !== undefined) Deno.remove(path).catch(() => {});
  }
}

function storageFailure(error: unknown, folder: string): StorageFailure {
  const { code, message } = error as { code?: string; message: string };
  const shortage = shortageOf(error);
  const full = code !== undefined && FULL.has(code);
  const reason = full ? `no room is left (${code})` : shortage?.advice ?? message;
  return new StorageFailure(full ? 507 : 503, `Cannot buffer the request's body in ${folder}: ${reason}`, error);
}

/** No space on the disk, over the user's quota, over the largest size of a file. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
