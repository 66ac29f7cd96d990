/**
 * The guard of a root folder: everything that touches the file system goes through here, and nothing outside the folder
 * comes out of it. Paths are resolved to their real path, which must lie below the root's own; only regular files are
 * opened (opening a FIFO would wait for a writer forever, a device may act on it); and what was opened is compared with
 * what was checked, so a link that is swapped in between is noticed.
 *
 * What remains, for Deno has no `openat2`: a process that may write inside the root, and that swaps a folder for a link
 * and back again three times in the microseconds between the calls, could have a file sent that it has no right to read;
 * one that puts a FIFO in place of a file within microseconds could make an open wait for its writer.
 *
 * @module
 */

import { type FileStamp, sameFile, stampOf } from "./file_stamp.ts";

/** A regular file below the root. */
export interface FoundFile {
  readonly kind: "file";
  /** Path below the root, as it was looked up. */
  readonly path: string;
  /** Path without links. */
  readonly realPath: string;
  /** State of the file when it was found. */
  readonly stamp: FileStamp;
}

/** A folder below the root, or the root. */
export interface FoundFolder {
  readonly kind: "folder";
  /** Path below the root, as it was looked up. */
  readonly path: string;
  /** Path without links. */
  readonly realPath: string;
  /** Time of its last change in milliseconds since 1970; undefined where the file system has none. */
  readonly modifiedMs: number | undefined;
}

/** An open file with the state that it had when it was opened. Whoever holds it closes it. */
export interface OpenedFile {
  readonly file: Deno.FsFile;
  readonly stamp: FileStamp;
}

/** What a root allows. */
export interface FileRootOptions {
  /**
   * Whether links may lead out of the folder. Unsafe where others can write into it: they choose what is served.
   *
   * @default {false}
   */
  followSymlinks?: boolean;
}

/** One root folder. Holds no handles and no state. */
export class FileRoot {
  readonly #rootPath: string;
  readonly #followSymlinks: boolean;

  /**
   * @param rootPath Absolute path of the folder. It need not exist yet, and may be a link that moves later.
   * @param options What the root allows.
   */
  constructor(rootPath: string, options: FileRootOptions = {}) {
    this.#rootPath = rootPath.replace(Deno.build.os === "windows" ? /[\\/]+$/ : /\/+$/, "");
    this.#followSymlinks = options.followSymlinks ?? false;
  }

  /**
   * The file or folder at a path, or undefined: nothing there, neither file nor folder, or a link that leads outside.
   *
   * @param path Decoded path that `servablePath` accepts.
   * @throws {Deno.errors.PermissionDenied} Where the system forbids to look.
   */
  async find(path: string): Promise<FoundFile | FoundFolder | undefined> {
    try {
      const [realRoot, realPath] = await Promise.all([this.#realRoot(), Deno.realPath(this.#rootPath + path)]);
      // The root is resolved again before a no: it may be a link that was moved to a new release just now.
      if (!this.#allows(realPath, realRoot) && !this.#allows(realPath, await this.#realRoot())) return undefined;
      const info = await Deno.lstat(realPath);
      if (info.isFile) return { kind: "file", path, realPath, stamp: stampOf(info) };
      if (info.isDirectory) return { kind: "folder", path, realPath, modifiedMs: info.mtime?.getTime() };
      return undefined;
    } catch (error) {
      if (meansMissing(error)) return undefined;
      throw error;
    }
  }

  /**
   * Opens a file that was found, or returns undefined when it is no longer what was found: look again.
   *
   * @param found What {@linkcode FileRoot.find} returned, now or earlier.
   * @throws {Deno.errors.PermissionDenied} Where the system forbids to read.
   */
  async open(found: FoundFile): Promise<OpenedFile | undefined> {
    let file: Deno.FsFile | undefined;
    try {
      if (!(await Deno.lstat(found.realPath)).isFile) return undefined;
      file = await Deno.open(found.realPath);
      const info = await file.stat();
      const stamp = stampOf(info);
      if (info.isFile && (this.#followSymlinks || await leadsTo(found.realPath, stamp))) {
        const opened = { file, stamp };
        file = undefined;
        return opened;
      }
      return undefined;
    } catch (error) {
      if (meansMissing(error)) return undefined;
      throw error;
    } finally {
      file?.close();
    }
  }

  /**
   * Whether a file or folder that was found can be read; false when it is gone. Windows cannot open folders: there they
   * count as readable.
   *
   * @throws {Deno.errors.PermissionDenied} Where the system forbids to read.
   */
  async readable(found: FoundFile | FoundFolder): Promise<boolean> {
    if (found.kind === "folder" && Deno.build.os === "windows") return true;
    try {
      (await Deno.open(found.realPath)).close();
      return true;
    } catch (error) {
      if (meansMissing(error)) return false;
      throw error;
    }
  }

  /** Resolves to no path where links may lead anywhere, because then nobody asks for it. */
  async #realRoot(): Promise<string> {
    return this.#followSymlinks ? "" : await Deno.realPath(this.#rootPath === "" ? "/" : this.#rootPath);
  }

  #allows(realPath: string, realRoot: string): boolean {
    if (this.#followSymlinks || realPath === realRoot) return true;
    return realPath.startsWith(realRoot.endsWith(SEPARATOR) ? realRoot : realRoot + SEPARATOR);
  }
}

const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";

/** Whether a path without links still is one, and still leads to the file of `stamp`. */
async function leadsTo(realPath: string, stamp: FileStamp): Promise<boolean> {
  if (await Deno.realPath(realPath) !== realPath) return false;
  const info = await Deno.lstat(realPath);
  return info.isFile && sameFile(stampOf(info), stamp);
}

/** Whether an error says that nothing is there, however it says it. */
function meansMissing(error: unknown): boolean {
  if (
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop
  ) return true;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // EINVAL, and Windows's ERROR_INVALID_NAME: no file system could hold such a name.
  return code === "ENAMETOOLONG" || code === "ELOOP" || code === "ENOTDIR" || code === "EINVAL" || code === "ENOENT";
}
