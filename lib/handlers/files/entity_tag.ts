/**
 * Entity tags of files and the two ways to compare them (RFC 9110, section 8.8.3). A tag is made of size and time of
 * change, without reading the file. Tags are strong, as those of other file servers: weak ones would rule out If-Match
 * and resuming a download by If-Range, which compare strongly. The coding is part of the tag, so the compressed variant
 * of a file never passes for the file.
 *
 * @module
 */

import type { FileStamp } from "./file_stamp.ts";

/**
 * The entity tag of a file in one coding, or undefined where no time of its change is known: size alone tells too little.
 *
 * @param stamp State of the file that is sent.
 * @param coding Its content coding; empty for none.
 */
export function entityTagOf(stamp: FileStamp, coding: string): string | undefined {
  if (stamp.modifiedMs === undefined) return undefined;
  const tag = `${stamp.modifiedMs.toString(36)}-${stamp.sizeBytes.toString(36)}`;
  return coding === "" ? `"${tag}"` : `"${tag}-${coding}"`;
}

/**
 * Whether a list of entity tags names this one by weak comparison, as If-None-Match wants it (section 13.1.2).
 *
 * @param list Value of the field: `*` or tags with commas between them. What is malformed matches nothing.
 * @param tag The current tag; undefined matches `*` alone.
 */
export function weaklyListed(list: string, tag: string | undefined): boolean {
  if (list === tag) return true; // what browsers send
  if (list.trim() === "*") return true;
  return tag !== undefined && someTag(list, (listed) => opaque(listed) === opaque(tag));
}

/**
 * Whether a list of entity tags names this one by strong comparison, as If-Match wants it (section 13.1.1).
 *
 * @param list Value of the field: `*` or tags with commas between them. What is malformed matches nothing.
 * @param tag The current tag; undefined matches `*` alone.
 */
export function stronglyListed(list: string, tag: string | undefined): boolean {
  if (list.trim() === "*") return true;
  return tag !== undefined && !tag.startsWith("W/") && someTag(list, (listed) => listed === tag);
}

/** Goes through a list by hand: a tag may hold commas, and an expression over a hostile list may take its time. */
function someTag(list: string, matches: (tag: string) => boolean): boolean {
  let at = 0;
  while (at < list.length) {
    const char = list[at];
    if (char === "," || char === " " || char === "\t") {
      at++;
      continue;
    }
    const open = list.startsWith('W/"', at) ? at + 2 : at;
    if (list[open] !== '"') return false;
    const close = list.indexOf('"', open + 1);
    if (close === -1) return false;
    if (matches(list.slice(at, close + 1))) return true;
    at = close + 1;
  }
  return false;
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
