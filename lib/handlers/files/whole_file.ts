/**
 * Reading a small file whole, to be answered from memory.
 *
 * @module
 */

import type { FileRoot } from "./file_root.ts";
import { sameStamp, stampOf } from "./file_stamp.ts";
import type { Representation } from "./representation.ts";

/**
 * Reads the content of a representation into its `bytes`; callers at the same time share one read.
 *
 * @param root Where the file lies.
 * @param representation What to read.
 * @param nowMs The current time in milliseconds since 1970.
 * @returns The content, or undefined when the file is no longer what the representation says: look again.
 */
export function readWhole(
  root: FileRoot,
  representation: Representation,
  nowMs: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let read = reading.get(representation);
  if (read === undefined) {
    read = readOnce(root, representation).then((bytes) => {
      representation.bytes = bytes;
      representation.bytesReadAtMs = nowMs;
      return bytes;
    }).finally(() => reading.delete(representation));
    reading.set(representation, read);
  }
  return read;
}

/** Reads under way. */
const reading = new WeakMap<Representation, Promise<Uint8Array<ArrayBuffer> | undefined>>();

async function readOnce(root: FileRoot, { found }: Representation): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const opened = await root.open(found);
  if (opened === undefined) return undefined;
  using file = opened.file;
  if (!sameStamp(opened.stamp, found.stamp)) return undefined;
  const bytes = new Uint8Array(found.stamp.sizeBytes);
  let length = 0;
  while (length < bytes.length) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) return undefined;
    length += count;
  }
  // Written while it was read: half of one content and half of another.
  return sameStamp(stampOf(await file.stat()), found.stamp) ? bytes : undefined;
}
