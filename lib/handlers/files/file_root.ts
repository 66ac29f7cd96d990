/**
 * The guard of a root folder: everything that touches the file system goes through here, and nothing outside the folder
 * comes out of it. A path is opened first and judged afterwards, by the path that the system tells of what was opened:
 * it must lie below the root's own. What is read is read through that handle. Only regular files are opened for reading
 * (opening a FIFO would wait for a writer forever, a device may act on it).
 *
 * Where the system tells no paths of handles, `entry_by_path.ts` does what can be done without.
 *
 * @module
 */

import { entryByHandle, handlesTellPaths } from "./entry_by_handle.ts";
import { entryByPath } from "./entry_by_path.ts";
import type { FileEntry, LookUp } from "./file_entry.ts";
import { type FileStamp, stampOf } from "./file_stamp.ts";

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
  /**
   * Told of each path below the root that was refused because it leads out of it.
   *
   * @default {nobody}
   */
  onOutside?: ((path: string) => void) | undefined;
  /**
   * How paths are looked up.
   *
   * @default {by handle where the system can, else by path}
   */
  lookUp?: LookUp;
}

/** Which names of a folder are wanted. */
export interface NamesOptions {
  readonly wanted: (name: string) => boolean;
  /** More names than this are not looked at. */
  readonly max: number;
}

/** One root folder. Holds no handles and no state. */
export class FileRoot {
  readonly #rootPath: string;
  readonly #followSymlinks: boolean;
  readonly #onOutside: ((path: string) => void) | undefined;
  readonly #lookUp: LookUp;

  /**
   * @param rootPath Absolute path of the folder. It need not exist yet, and may be a link that moves later.
   * @param options What the root allows.
   */
  constructor(rootPath: string, options: FileRootOptions = {}) {
    this.#rootPath = trimmedRoot(rootPath);
    this.#followSymlinks = options.followSymlinks ?? false;
    this.#onOutside = options.onOutside;
    this.#lookUp = options.lookUp ?? (handlesTellPaths() ? entryByHandle : entryByPath);
  }

  /**
   * The file or folder at a path, or undefined: nothing there, neither file nor folder, or a link that leads outside.
   *
   * @param path Decoded path that `servablePath` accepts.
   * @throws {Deno.errors.PermissionDenied} Where the system forbids to look.
   */
  async find(path: string): Promise<FoundFile | FoundFolder | undefined> {
    return await this.#enter(path, (entry) => foundIn(entry, path));
  }

  /**
   * As {@linkcode FileRoot.find}, for what can also be read. Windows cannot open folders: there they count as readable.
   *
   * @throws {Deno.errors.PermissionDenied} Where the system forbids to look or to read.
   */
  async findReadable(path: string): Promise<FoundFile | FoundFolder | undefined> {
    return await this.#enter(path, async (entry) => {
      const found = foundIn(entry, path);
      if (found === undefined || (found.kind === "folder" && Deno.build.os === "windows")) return found;
      const file = await entry.open();
      file?.close();
      return file && found;
    });
  }

  /**
   * Opens the file at the path of one that was found, with the state that it has now; undefined when there is none.
   *
   * @param found What {@linkcode FileRoot.find} returned, now or earlier.
   * @throws {Deno.errors.PermissionDenied} Where the system forbids to read.
   */
  async open(found: FoundFile): Promise<OpenedFile | undefined> {
    return await this.#enter(found.path, async (entry) => {
      const file = entry.info.isFile ? await entry.open() : undefined;
      if (file === undefined) return undefined;
      try {
        return { file, stamp: stampOf(await file.stat()) };
      } catch (error) {
        file.close();
        throw error;
      }
    });
  }

  /**
   * Names in the folder at the path of one that was found.
   *
   * @param found What {@linkcode FileRoot.find} returned, now or earlier.
   * @param options Which names are wanted, and how many at most.
   * @throws {Deno.errors.PermissionDenied} Where the system forbids to read the folder.
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

  /** Looks a path up and, where it lies below the root, hands it to `use`. Nothing else touches what is below the root. */
  async #enter<T>(path: string, use: (entry: FileEntry) => T | Promise<T>): Promise<T | undefined> {
    try {
      for (let look = 1;; look++) {
        using entry = await this.#lookUp(this.#rootPath + path);
        if (this.#followSymlinks || liesBelow(entry.realPath, await this.#realRoot())) return await use(entry);
        // Looked up again before a no: the root may be a link that was moved to a new release just now.
        if (look < LOOKS_MAX) continue;
        this.#onOutside?.(path);
        return undefined;
      }
    } catch (error) {
      if (meansMissing(error)) return undefined;
      throw error;
    }
  }

  async #realRoot(): Promise<string> {
    return await Deno.realPath(this.#rootPath === "" ? "/" : this.#rootPath);
  }
}

/** The path of a root without slashes at its end, so that a path below it can follow. */
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
