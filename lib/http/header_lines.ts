/**
 * Reads and edits {@linkcode HeaderLines}. Names are compared without case; arguments called `lowerName` must already
 * be in lower case, which saves converting them for each request.
 *
 * @module
 */

import type { HeaderLines } from "./message.ts";

/** The value of the first line called `lowerName`, or undefined. */
export function headerValue(lines: readonly string[], lowerName: string): string | undefined {
  for (let i = 0; i < lines.length; i += 2) {
    if (sameName(lines[i], lowerName)) return lines[i + 1];
  }
  return undefined;
}

/** All values of the lines called `lowerName`, in order. */
export function headerValues(lines: readonly string[], lowerName: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    if (sameName(lines[i], lowerName)) values.push(lines[i + 1]);
  }
  return values;
}

/** Makes `value` the only value of `name`, in place: the first such line keeps its position. */
export function setHeader(lines: HeaderLines, name: string, value: string): void {
  const lowerName = name.toLowerCase();
  for (let i = 0; i < lines.length; i += 2) {
    if (!sameName(lines[i], lowerName)) continue;
    lines[i] = name;
    lines[i + 1] = value;
    let kept = i + 2;
    for (let j = i + 2; j < lines.length; j += 2) {
      if (sameName(lines[j], lowerName)) continue;
      lines[kept] = lines[j];
      lines[kept + 1] = lines[j + 1];
      kept += 2;
    }
    lines.length = kept;
    return;
  }
  lines.push(name, value);
}

/**
 * The members of a comma-separated list value in lower case, without empty ones (RFC 9110, section 5.6.1). For token
 * lists such as Connection; quoted strings are not supported.
 */
export function listMembers(value: string): string[] {
  const members: string[] = [];
  for (const part of value.split(",")) {
    const member = part.trim().toLowerCase();
    if (member !== "") members.push(member);
  }
  return members;
}

/**
 * Removes all lines with one of these names, in place.
 *
 * @param lowerNames In lower case.
 */
export function removeHeaders(lines: HeaderLines, lowerNames: ReadonlySet<string>): void {
  let kept = 0;
  for (let i = 0; i < lines.length; i += 2) {
    if (lowerNames.has(lines[i].toLowerCase())) continue;
    lines[kept] = lines[i];
    lines[kept + 1] = lines[i + 1];
    kept += 2;
  }
  lines.length = kept;
}

/** Adds a name to Vary (RFC 9110, section 12.5.5), unless it is there. */
export function addVary(lines: HeaderLines, name: string): void {
  const lowerName = name.toLowerCase();
  for (const value of headerValues(lines, "vary")) {
    const members = listMembers(value);
    if (members.includes("*") || members.includes(lowerName)) return;
  }
  lines.push("vary", name);
}

/** Whether `name` is a token, the only form of a field name and of a method (RFC 9110, section 5.6.2). */
export function isToken(name: string): boolean {
  if (name.length === 0) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code > 127 || TOKEN[code] === 0) return false;
  }
  return true;
}

function sameName(name: string, lowerName: string): boolean {
  return name === lowerName || (name.length === lowerName.length && name.toLowerCase() === lowerName);
}

/** 1 for each ASCII code that a token may hold. */
const TOKEN: Uint8Array = tokenTable();

function tokenTable(): Uint8Array {
  const table = new Uint8Array(128);
  for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
    table[char.charCodeAt(0)] = 1;
  }
  return table;
}
