/**
 * The contract between a root folder and the two ways to look a path up below it: by a handle, which cannot be moved
 * between the check and the use (`entry_by_handle.ts`), and by path, where the system gives no such handle
 * (`entry_by_path.ts`).
 *
 * @module
 */

/** A file or folder that was looked up. Whoever holds it disposes of it. */
export interface FileEntry extends Disposable {
  /** Path without links of what was looked up. */
  readonly realPath: string;
  /** State of what was looked up. */
  readonly info: Deno.FileInfo;
  /**
   * Opens it for reading; undefined when something else lies at its path by now. Only regular files and folders may be
   * opened.
   */
  open(): Promise<Deno.FsFile | undefined>;
  /** The names in it, if it is a folder. */
  names(): AsyncIterable<string>;
}

/**
 * Looks up an absolute path. Rejects with what the system says when there is nothing, and with
 * `Deno.errors.PermissionDenied` where it forbids to look.
 */
export type LookUp = (path: string) => Promise<FileEntry>;
