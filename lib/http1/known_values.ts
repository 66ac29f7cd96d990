/**
 * Text of values that repeat from message to message, such as hosts, media types and names of programs: a value that was
 * seen before takes no decoding and no memory.
 *
 * @module
 */

import { KnownTable } from "./known_table.ts";

/** Text of `bytes[start … end)`, none of which is above 0x7F, if it is in the table or comes for the second time. */
export function knownValue(bytes: Uint8Array, start: number, end: number): string | undefined {
  return start === end ? "" : table.find(bytes, start, end);
}

const table = new KnownTable<string>((text) => text, 2048);
