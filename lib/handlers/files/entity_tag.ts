/**
 * Entity tags of files and the two ways to compare them (RFC 9110, section 8.8.3). A tag is made of size and
 * modification time, without reading the file. Tags are strong, as those of other file servers are: weak tags would
 * rule out If-Match and the resumption of downloads by If-Range, which compare strongly. The coding is part of the tag,
 * so a compressed file never matches the tag of the file itself.
 *
 * @module
 */

import type { FileStamp } from "./file_stamp.ts";

/**
 * The entity tag of a file in one coding, or undefined if its modification time is not known: the size alone does not
 * identify the content.
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
 * Whether a list of entity tags contains `tag` by weak comparison, as for If-None-Match (section 13.1.2).
 *
 * @param list Value of the field: `*` or tags separated by commas. A malformed list matches nothing.
 * @param tag The current tag; undefined matches only `*`.
 */
export function weaklyListed(list: string, tag: string | undefined): boolean {
  if (list === tag) return true; // what browsers send
  if (list.trim() === "*") return true;
  return tag !== undefined && someTag(list, (listed) => opaque(listed) === opaque(tag));
}

/**
 * Whether a list of entity tags contains `tag` by strong comparison, as for If-Match (section 13.1.1).
 *
 * @param list Value of the field: `*` or tags separated by commas. A malformed list matches nothing.
 * @param tag The current tag; undefined matches only `*`.
 */
export function stronglyListed(list: string, tag: string | undefined): boolean {
  if (list.trim() === "*") return true;
  return tag !== undefined && !tag.startsWith("W/") && someTag(list, (listed) => listed === tag);
}

/** Without a regular expression: a tag may contain commas, and a hostile list could make an expression slow. */
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
