/**
 * Finds precompressed files that are older than the file beside them, before they are requested.
 *
 * @module
 */

import { NEIGHBOURS } from "./content_coding.ts";
import { olderThan, stampOf } from "./file_stamp.ts";

/** Most entries that are checked. */
const ENTRIES_MAX = 20_000;

/**
 * Paths, below a folder, of precompressed files that are older than their file. Links are not followed; only a part of
 * a very large folder is checked, and unreadable files are left out.
 *
 * @param rootPath Absolute path of the folder.
 */
export function staleNeighbours(rootPath: string): string[] {
  const stale: string[] = [];
  const folders = [""];
  let left = ENTRIES_MAX;
  for (let folder = folders.pop(); folder !== undefined && left > 0; folder = folders.pop()) {
    for (const { name, isDirectory, isFile } of entriesOf(`${rootPath}/${folder}`)) {
      if (left-- === 0) break;
      if (isDirectory) folders.push(`${folder}${name}/`);
      else if (isFile && isStale(`${rootPath}/${folder}`, name)) stale.push(folder + name);
    }
  }
  return stale.sort();
}

function isStale(folder: string, name: string): boolean {
  const suffix = NEIGHBOURS.find((neighbour) => name.endsWith(neighbour.suffix))?.suffix;
  if (suffix === undefined) return false;
  try {
    const file = Deno.statSync(folder + name.slice(0, -suffix.length));
    return file.isFile && olderThan(stampOf(Deno.statSync(folder + name)), stampOf(file));
  } catch {
    return false; // no such file, or access is denied
  }
}

function* entriesOf(folder: string): Iterable<Deno.DirEntry> {
  try {
    yield* Deno.readDirSync(folder);
  } catch {
    // An unreadable folder is not served either.
  }
}
