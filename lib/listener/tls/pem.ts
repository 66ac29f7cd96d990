/**
 * PEM files (RFC 7468): their blocks, with the lines on which they begin.
 *
 * @module
 */

/** A block of a PEM file. */
export interface PemBlock {
  /** What it holds, as `CERTIFICATE` or `PRIVATE KEY`. */
  readonly label: string;
  /** The block with its first and its last line. */
  readonly text: string;
  /** Line on which it begins, from 1. */
  readonly line: number;
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----\s*$/;

/** The blocks of a file, in its order. Text between them is ignored; a block without an end ends with the file. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const label = BEGIN.exec(lines[i])?.[1];
    if (label === undefined) continue;
    const start = i;
    while (i < lines.length - 1 && !lines[i].startsWith(`-----END ${label}-----`)) i++;
    blocks.push({ label, text: lines.slice(start, i + 1).join("\n") + "\n", line: start + 1 });
  }
  return blocks;
}
