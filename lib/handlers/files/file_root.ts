/**
 * Access to the files of a root folder, and to nothing outside it: all access to the file system goes through here. A
 * path is opened first and checked afterwards, by the path that the system reports for the handle: it must lie below
 * the path of the root. The content is then read through that handle. Only regular files are opened for reading
 * (opening a FIFO would wait for a writer forever, and a device may act on it).
 *
 * If the path of a handle cannot be read, `entry_by_path.ts` comes as close as is possible without it.
 *
 * @module
 */

import { entryByHandle, handlePathsReadable } from "./entry_by_handle.ts";
import { entryByPath } from "./entry_by_path.ts";
import type { FileEntry, LookUp } from "./file_entry.ts";
import type { FilesConfig } from "./files_schema.ts";
import { type FileStamp, stampOf } from "./file_stamp.ts";
import type { OpenFile } from "./open_file.ts";

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
  /** Modification time in milliseconds since 1970; undefined if the file system has none. */
  readonly modifiedMs: number | undefined;
}

/** An open file with its state when it was opened. Each user releases it. */
export class OpenedFile implements Disposable {
  readonly file: OpenFile;
  readonly stamp: FileStamp;
  /** Path without links. */
  readonly realPath: string;
  #users = 1;

  /** The caller is the first user. */
  constructor(file: OpenFile, stamp: FileStamp, realPath: string) {
    this.file = file;
    this.stamp = stamp;
    this.realPath = realPath;
  }

  /** Another user. */
  use(): this {
    this.#users++;
    return this;
  }

  /** Ends one use; the last one closes the file. */
  release(): void {
    if (--this.#users === 0) this.file[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Options of a root. */
export interface FileRootOptions extends Partial<Pick<FilesConfig, "follow_symlinks">> {
  /**
   * Absolute path of a file that is never found, by whatever link or name.
   *
   * @default {undefined} None.
   */
  hiddenFile?: string | undefined;
  /**
   * Called with each path below the root that was refused because it leads out of the root.
   *
   * @default {undefined} Not reported.
   */
  onOutside?: ((path: string) => void) | undefined;
  /**
   * How paths are looked up.
   *
   * @default {by handle if the system supports it, else by path}
   */
  lookUp?: LookUp;
}

/** Selects names of a folder. */
export interface NamesOptions {
  readonly wanted: (name: string) => boolean;
  /** Maximum number of names to return. */
  readonly max: number;
}

/** One root folder. Holds no handles. */
export class FileRoot {
  readonly #rootPath: string;
  readonly #followSymlinks: boolean;
  readonly #hiddenFile: string | undefined;
  #hiddenRealPath: string | undefined;
  readonly #onOutside: ((path: string) => void) | undefined;
  readonly #lookUp: LookUp;

  /**
   * @param rootPath Absolute path of the folder. It need not exist yet, and may be a link that moves later.
   * @param options Options of the root.
   */
  constructor(rootPath: string, options: FileRootOptions = {}) {
    this.#rootPath = trimmedRoot(rootPath);
    this.#followSymlinks = options.follow_symlinks ?? false;
    this.#hiddenFile = options.hiddenFile;
    this.#onOutside = options.onOutside;
    this.#lookUp = options.lookUp ?? (handlePathsReadable() ? entryByHandle : entryByPath);
  }

  /**
   * The file or folder at a path. Undefined if nothing is there, if it is neither a file nor a folder, or if a link
   * leads outside.
   *
   * @param path Decoded path that `servablePath` accepts.
   * @throws {Deno.errors.PermissionDenied} If the system denies access.
   */
  async find(path: string): Promise<FoundFile | FoundFolder | undefined> {
    return await this.#enter(path, (entry) => foundIn(entry, path));
  }

  /**
   * Like {@linkcode FileRoot.find}, for files and folders that can also be read. Windows cannot open folders, so all
   * folders count as readable there.
   *
   * @throws {Deno.errors.PermissionDenied} If the system denies access or reading.
   */
  async findReadable(path: string): Promise<FoundFile | FoundFolder | undefined> {
    return await this.#enter(path, async (entry) => {
      const found = foundIn(entry, path);
      if (found === undefined || (found.kind === "folder" && Deno.build.os === "windows")) return found;
      const file = await entry.open();
      file?.[Symbol.dispose]();
      return file && found;
    });
  }

  /**
   * Opens the file at the path of a file that was found, and reads its current state; undefined if there is no file
   * now.
   *
   * @param found Result of {@linkcode FileRoot.find}, now or earlier.
   * @throws {Deno.errors.PermissionDenied} If the system denies reading.
   */
  async open(found: FoundFile): Promise<OpenedFile | undefined> {
    return await this.#enter(found.path, async (entry) => {
      const file = entry.info.isFile ? await entry.open() : undefined;
      if (file === undefined) return undefined;
      try {
        return new OpenedFile(file, await file.stamp(), entry.realPath);
      } catch (error) {
        file[Symbol.dispose]();
        throw error;
      }
    });
  }

  /**
   * Names in the folder at the path of a folder that was found.
   *
   * @param found Result of {@linkcode FileRoot.find}, now or earlier.
   * @param options Which names to return, and how many at most.
   * @throws {Deno.errors.PermissionDenied} If the system denies reading the folder.
   */
  async names(found: FoundFolder, { wanted, max }: NamesOptions): Promise<string[]> {
    return await this.#enter(found.path, async (entry) => {
      const names: string[] = [];
      if (!entry.info.isDirectory) return names;
      for await (const name of entry.names()) {
        if (wanted(name) && names.push(name) === max) break;
      }
      return names;
    }) ?? [];
  }

  /**
   * Looks a path up and, if it lies below the root, calls `use` with it. Nothing else accesses what is below the root.
   */
  async #enter<T>(path: string, use: (entry: FileEntry) => T | Promise<T>): Promise<T | undefined> {
    try {
      for (let look = 1;; look++) {
        using entry = await this.#lookUp(this.#rootPath + path);
        if (this.#hiddenFile !== undefined && entry.realPath === await this.#realHiddenFile()) return undefined;
        if (this.#followSymlinks || liesBelow(entry.realPath, await this.#realRoot())) return await use(entry);
        // Looked up again before it is refused: the root may be a link that was moved to a new release just now.
        if (look < LOOKS_MAX) continue;
        this.#onOutside?.(path);
        return undefined;
      }
    } catch (error) {
      if (meansMissing(error)) return undefined;
      throw error;
    }
  }

  /** Without links; asked for once, as configs are read again when they move. */
  async #realHiddenFile(): Promise<string | undefined> {
    if (this.#hiddenRealPath !== undefined || this.#hiddenFile === undefined) return this.#hiddenRealPath;
    try {
      this.#hiddenRealPath = await Deno.realPath(this.#hiddenFile);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      this.#hiddenRealPath = this.#hiddenFile;
    }
    return this.#hiddenRealPath;
  }

  async #realRoot(): Promise<string> {
    return await Deno.realPath(this.#rootPath === "" ? "/" : this.#rootPath);
  }
}

/** The path of a root without trailing slashes, so that a path below it can be appended. */
export function trimmedRoot(rootPath: string): string {
  return rootPath.replace(Deno.build.os === "windows" ? /[\\/]+$/ : /\/+$/, "");
}

const LOOKS_MAX = 2;
const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";

function liesBelow(realPath: string, realRoot: string): boolean {
  return realPath === realRoot || realPath.startsWith(realRoot.endsWith(SEPARATOR) ? realRoot : realRoot + SEPARATOR);
}

function foundIn({ realPath, info }: FileEntry, path: string): FoundFile | FoundFolder | undefined {
  if (info.isFile) return { kind: "file", path, realPath, stamp: stampOf(info) };
  if (info.isDirectory) return { kind: "folder", path, realPath, modifiedMs: info.mtime?.getTime() };
  return undefined;
}

/** Whether an error means that nothing is at the path. */
function meansMissing(error: unknown): boolean {
  if (
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop
  ) return true;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // EINVAL is also Windows's ERROR_INVALID_NAME: no file system could contain such a name.
  return code === "ENAMETOOLONG" || code === "ELOOP" || code === "ENOTDIR" || code === "EINVAL" || code === "ENOENT";
}
