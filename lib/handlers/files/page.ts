/**
 * The page at a path: one file with all the codings that lie beside it. A page records when the file system was read,
 * so that a cache knows when to read it again.
 *
 * @module
 */

import type { ContentCoding } from "../../http/accepted_codings.ts";
import { acceptedCodings, NEIGHBOURS } from "./content_coding.ts";
import type { FileRoot, FoundFile } from "./file_root.ts";
import { olderThan, sameStamp, settledAt } from "./file_stamp.ts";
import type { FilesConfig } from "./files_schema.ts";
import { represent, type Representation } from "./representation.ts";

/** One file with its codings. */
export interface Page {
  /** The file itself. */
  readonly identity: Representation;
  /** Its neighbours; empty for most files. */
  readonly coded: readonly Representation[];
  /** When the file system was read, in milliseconds since 1970. */
  readonly checkedAtMs: number;
}

/** Options of pages. */
export interface PageOptions extends Pick<FilesConfig, "index_files" | "precompressed"> {
  /** Content-Type of a file, by its path. */
  readonly mediaTypeOf: (path: string) => string;
  /** Header lines of a file. */
  readonly fileLines: ((path: string) => readonly string[]) | undefined;
  /** Called with the path of each neighbour that is older than its file. */
  readonly onStale: ((path: string) => void) | undefined;
}

/**
 * The page at a path, or undefined if there is none.
 *
 * @param root Where to look.
 * @param path Decoded path; one that ends with `/` means the first index file of that folder.
 * @param options Options of the page.
 * @param nowMs The current time in milliseconds since 1970.
 * @param before An older page of the same path: representations that have not changed since keep their bytes.
 * @throws {Deno.errors.PermissionDenied} If the system denies reading the file.
 */
export async function findPage(
  root: FileRoot,
  path: string,
  options: PageOptions,
  nowMs: number,
  before?: Page,
): Promise<Page | undefined> {
  const names = path.endsWith("/") ? options.index_files : [""];
  for (const name of names) {
    // The permission to read is checked here, so that HEAD and 304, which open no file, give the same result as a GET.
    const found = await root.findReadable(path + name);
    if (found?.kind !== "file") continue;
    const page = await makePage(root, found, options, nowMs);
    if (before !== undefined) keepBytes(before, page);
    return page;
  }
  return undefined;
}

/**
 * The representation of a page that a client prefers.
 *
 * @param page The page.
 * @param acceptEncoding Value of Accept-Encoding; undefined if the request has none.
 */
export function chooseRepresentation(page: Page, acceptEncoding: string | undefined): Representation {
  if (page.coded.length === 0) return page.identity;
  for (const coding of acceptedCodings(acceptEncoding)) {
    const representation = codingOf(page, coding);
    if (representation !== undefined) return representation;
  }
  return page.identity;
}

async function makePage(root: FileRoot, found: FoundFile, options: PageOptions, nowMs: number): Promise<Page> {
  const neighbours = options.precompressed ? await findNeighbours(root, found, options) : [];
  const shared = {
    contentType: options.mediaTypeOf(found.path),
    varies: neighbours.length > 0,
    lines: options.fileLines?.(found.path) ?? [],
    nowMs,
  };
  return {
    identity: represent(found, { ...shared, coding: "" }),
    coded: neighbours.map(({ coding, file }) => represent(file, { ...shared, coding })),
    checkedAtMs: nowMs,
  };
}

async function findNeighbours(
  root: FileRoot,
  found: FoundFile,
  { onStale }: PageOptions,
): Promise<{ coding: ContentCoding; file: FoundFile }[]> {
  if (NEIGHBOURS.some(({ suffix }) => found.path.endsWith(suffix))) return []; // compressed already
  const files = await Promise.all(NEIGHBOURS.map(({ suffix }) => findNeighbour(root, found.path + suffix)));
  return NEIGHBOURS.flatMap(({ coding }, i) => {
    const file = files[i];
    if (file === undefined) return [];
    if (!olderThan(file.stamp, found.stamp)) return [{ coding, file }];
    onStale?.(file.path);
    return [];
  });
}

/** An unreadable neighbour is ignored: the file itself can still be sent. */
async function findNeighbour(root: FileRoot, path: string): Promise<FoundFile | undefined> {
  try {
    const found = await root.findReadable(path);
    return found?.kind === "file" ? found : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

function codingOf(page: Page, coding: ContentCoding): Representation | undefined {
  return coding === "" ? page.identity : page.coded.find(({ options }) => options.coding === coding);
}

function keepBytes(before: Page, page: Page): void {
  for (const representation of [page.identity, ...page.coded]) {
    const old = codingOf(before, representation.options.coding);
    if (old?.bytes === undefined || old.found.realPath !== representation.found.realPath) continue;
    const { stamp } = representation.found;
    // If the bytes were read within the clock tick of the last change, another change in that tick would not be
    // visible, so they are read again.
    if (!sameStamp(old.found.stamp, stamp) || !settledAt(stamp, old.bytesReadAtMs)) continue;
    representation.bytes = old.bytes;
    representation.bytesReadAtMs = old.bytesReadAtMs;
  }
}
