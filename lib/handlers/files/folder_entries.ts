/**
 * The entries of a folder listing: the files and folders for which a request would be served. Hidden names, links that
 * lead outside, devices and unreadable entries are left out.
 *
 * @module
 */

import type { FileRoot, FoundFolder } from "./file_root.ts";
import { type PathRules, servableName } from "./request_path.ts";

/** One line of a listing. */
export interface FolderEntry {
  readonly name: string;
  readonly kind: "file" | "folder";
  /** Size in bytes; undefined for folders. */
  readonly sizeBytes: number | undefined;
  /** Modification time in milliseconds since 1970, if known. */
  readonly modifiedMs: number | undefined;
}

/** Most names that are read: a listing must not cost as much as its folder is large. */
export const ENTRIES_MAX = 10_000;

/**
 * The entries of a folder, in no order.
 *
 * @param root The root of the folder.
 * @param folder The folder; its `path` ends with `/`.
 * @param rules Rules for the names of files.
 * @throws {Deno.errors.PermissionDenied} If the system denies reading the folder.
 */
export async function readEntries(root: FileRoot, folder: FoundFolder, rules: PathRules): Promise<FolderEntry[]> {
  // `.well-known` is served, but visitors do not look for it.
  const wanted = (name: string) => servableName(name, rules) && (rules.dotfiles || !name.startsWith("."));
  const names = await root.names(folder, { wanted, max: ENTRIES_MAX });
  const entries: FolderEntry[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: CONCURRENT_READS }, async () => {
    while (next < names.length) {
      const entry = await readEntry(root, folder.path, names[next++]);
      if (entry !== undefined) entries.push(entry);
    }
  }));
  return entries;
}

/** Limits the handles that one listing holds, each for the moment of a check. */
const CONCURRENT_READS = 16;

async function readEntry(root: FileRoot, folderPath: string, name: string): Promise<FolderEntry | undefined> {
  try {
    const found = await root.findReadable(folderPath + name);
    if (found === undefined) return undefined;
    return found.kind === "file"
      ? { name, kind: "file", sizeBytes: found.stamp.sizeBytes, modifiedMs: found.stamp.modifiedMs }
      : { name, kind: "folder", sizeBytes: undefined, modifiedMs: found.modifiedMs };
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined; // not listed, since it cannot be opened
    throw error;
  }
}
