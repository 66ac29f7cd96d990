/**
 * What a folder shows to a visitor: the files and folders that a request for them would get. Hidden names, links that
 * lead outside, devices and what cannot be read are left out.
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
  /** Time of the last change in milliseconds since 1970, if known. */
  readonly modifiedMs: number | undefined;
}

/** More names than this are not looked at: a listing must not cost as much as its folder is large. */
export const ENTRIES_MAX = 10_000;

/**
 * The entries of a folder: folders first, then by name, numbers in names by their value.
 *
 * @param root The root that the folder lies in.
 * @param folder The folder; its `path` ends with `/`.
 * @param rules What names may be.
 * @throws {Deno.errors.PermissionDenied} Where the system forbids to read the folder.
 */
export async function readEntries(root: FileRoot, folder: FoundFolder, rules: PathRules): Promise<FolderEntry[]> {
  // `.well-known` can be asked for, but is nothing that a visitor looks for.
  const wanted = (name: string) => servableName(name, rules) && (rules.dotfiles || !name.startsWith("."));
  const names = await root.names(folder, { wanted, max: ENTRIES_MAX });
  const entries: FolderEntry[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, async () => {
    while (next < names.length) {
      const entry = await readEntry(root, folder.path, names[next++]);
      if (entry !== undefined) entries.push(entry);
    }
  }));
  return entries.sort((a, b) => a.kind === b.kind ? byName.compare(a.name, b.name) : a.kind === "folder" ? -1 : 1);
}

/** Bounds the handles that one listing holds, each for the moment of a check. */
const LOOKS_AT_ONCE = 16;

const byName = new Intl.Collator("en", { numeric: true });

async function readEntry(root: FileRoot, folderPath: string, name: string): Promise<FolderEntry | undefined> {
  try {
    const found = await root.findReadable(folderPath + name);
    if (found === undefined) return undefined;
    return found.kind === "file"
      ? { name, kind: "file", sizeBytes: found.stamp.sizeBytes, modifiedMs: found.stamp.modifiedMs }
      : { name, kind: "folder", sizeBytes: undefined, modifiedMs: found.modifiedMs };
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined; // shown to nobody who could not open it
    throw error;
  }
}
