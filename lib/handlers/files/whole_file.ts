/**
 * Reads a small file whole, to serve it from memory.
 *
 * @module
 */

import type { FileRoot } from "./file_root.ts";
import { sameStamp } from "./file_stamp.ts";
import type { Representation } from "./representation.ts";

/**
 * Reads the content of a representation into its `bytes`; concurrent callers share one read.
 *
 * @param root The root of the file.
 * @param representation What to read.
 * @param nowMs The current time in milliseconds since 1970.
 * @returns The content, or undefined if the file has changed since it was found: look it up again.
 */
export function readWhole(
  root: FileRoot,
  representation: Representation,
  nowMs: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let read = pending.get(representation);
  if (read === undefined) {
    read = readOnce(root, representation).then((bytes) => {
      representation.bytes = bytes;
      representation.bytesReadAtMs = nowMs;
      return bytes;
    }).finally(() => pending.delete(representation));
    pending.set(representation, read);
  }
  return read;
}

/** Pending reads. */
const pending = new WeakMap<Representation, Promise<Uint8Array<ArrayBuffer> | undefined>>();

async function readOnce(root: FileRoot, { found }: Representation): Promise<Uint8Array<ArrayBuffer> | undefined> {
  using opened = await root.open(found);
  if (opened === undefined) return undefined;
  const { file } = opened;
  if (!sameStamp(opened.stamp, found.stamp)) return undefined;
  const bytes = new Uint8Array(found.stamp.sizeBytes);
  let length = 0;
  while (length < bytes.length) {
    const count = await file.read(bytes.subarray(length), length);
    if (count === 0) return undefined;
    length += count;
  }
  // A file that was written during the read gives a mixture of two contents.
  return sameStamp(await file.stamp(), found.stamp) ? bytes : undefined;
}
