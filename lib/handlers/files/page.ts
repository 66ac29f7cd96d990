/**
 * What a path leads to: one file in all the codings that lie next to it. Pages are made from the file system and say
 * when, so that whoever keeps one knows when to look again.
 *
 * @module
 */

import { acceptedCodings, type ContentCoding, NEIGHBOURS } from "./content_coding.ts";
import type { FileRoot, FoundFile } from "./file_root.ts";
import { olderThan, sameStamp, settledAt } from "./file_stamp.ts";
import { mediaTypeOf } from "../../http/media_type.ts";
import { represent, type Representation } from "./representation.ts";

/** One file with its codings. */
export interface Page {
  /** The file itself. */
  readonly identity: Representation;
  /** Its neighbours; empty for most files. */
  readonly coded: readonly Representation[];
  /** When the file system was asked, in milliseconds since 1970. */
  readonly checkedAtMs: number;
}

/** How pages are made. */
export interface PageOptions {
  readonly indexFiles: readonly string[];
  readonly precompressed: boolean;
  readonly cacheControl: ((path: string) => string | undefined) | undefined;
  /** Told of each neighbour that is older than its file, by its path. */
  readonly onStale: ((path: string) => void) | undefined;
}

/**
 * The page at a path, or undefined where there is none.
 *
 * @param root Where to look.
 * @param path Decoded path; one that ends with `/` means the first index file of that folder.
 * @param options How pages are made.
 * @param nowMs The current time in milliseconds since 1970.
 * @param before An older page of the same path: what did not change since keeps its bytes.
 * @throws {Deno.errors.PermissionDenied} Where the system forbids to read the file.
 */
export async function findPage(
  root: FileRoot,
  path: string,
  options: PageOptions,
  nowMs: number,
  before?: Page,
): Promise<Page | undefined> {
  const names = path.endsWith("/") ? options.indexFiles : [""];
  for (const name of names) {
    // Whether it can be read is asked here, so that HEAD and 304, which open nothing, answer as a GET would.
    const found = await root.findReadable(path + name);
    if (found?.kind !== "file") continue;
    const page = await makePage(root, found, options, nowMs);
    if (before !== undefined) keepBytes(before, page);
    return page;
  }
  return undefined;
}

/**
 * The representation of a page that a client wants most.
 *
 * @param page The page.
 * @param acceptEncoding Value of Accept-Encoding; undefined without one.
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
    contentType: mediaTypeOf(found.path),
    varies: neighbours.length > 0,
    cacheControl: options.cacheControl?.(found.path),
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

/** A neighbour that may not be read is no neighbour: its file can still be sent as it is. */
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
    // Read within the tick of its last change: another change in that tick would not show, so it is read again.
    if (!sameStamp(old.found.stamp, stamp) || !settledAt(stamp, old.bytesReadAtMs)) continue;
    representation.bytes = old.bytes;
    representation.bytesReadAtMs = old.bytesReadAtMs;
  }
}
