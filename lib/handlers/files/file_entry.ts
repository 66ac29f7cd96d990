/**
 * The contract between a root folder and the two ways to look a path up below it: by handle, whose file cannot be
 * replaced between the check and the use (`entry_by_handle.ts`), and by path, for systems without such handles
 * (`entry_by_path.ts`).
 *
 * @module
 */

import type { OpenFile } from "./open_file.ts";

/** A file or folder that was looked up. Its holder disposes of it. */
export interface FileEntry extends Disposable {
  /** Path of the file or folder without links. */
  readonly realPath: string;
  /** State of the file or folder when it was looked up. */
  readonly info: Deno.FileInfo;
  /**
   * Opens the file or folder for reading; undefined if something else is at its path now. Only regular files and
   * folders may be opened.
   */
  open(): Promise<OpenFile | undefined>;
  /** The names in the folder. */
  names(): AsyncIterable<string>;
}

/**
 * Looks up an absolute path. Rejects with the error of the system if nothing is there, and with
 * `Deno.errors.PermissionDenied` if the system denies access.
 */
export type LookUp = (path: string) => Promise<FileEntry>;
