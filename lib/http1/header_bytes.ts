/**
 * Header lines of a response as bytes.
 *
 * @module
 */

import type { WrittenValue } from "./head_bytes.ts";
import { type KnownOctets, knownOctets } from "./word_view.ts";

/** The name of a header line with a colon and a space, before a value that is written as bytes. */
export interface WrittenName extends KnownOctets {
  readonly lowerName: string;
}

/** A header line that is always the same, with its CRLF. */
export interface FixedLine extends KnownOctets {
  readonly lowerName: string;
  readonly value: string;
}

/** A name, of ASCII characters. */
export function writtenName(name: string): WrittenName {
  return { lowerName: name.toLowerCase(), ...knownOctets(`${name}: `) };
}

/** The line of a name, in lower case, and a value, both of ASCII characters without line breaks. */
export function fixedLine(lowerName: string, value: string): FixedLine {
  return { lowerName, value, ...knownOctets(`${lowerName}: ${value}\r\n`) };
}

/** Lines of one response. */
export interface HeaderBytes {
  /** As many bytes as they take, or a few more. */
  readonly maxBytes: number;
  /** Content-Length of the response, which is not among the lines; -1 where it has none. */
  readonly contentLength: number;
  /** Whether a line is called `lowerName`, besides that of {@linkcode setWritten}. */
  has(lowerName: string): boolean;
  /** The value of the first line called `lowerName`, Content-Length too; undefined without one. */
  value(lowerName: string): string | undefined;
  /** Sets one line behind the others, with a value of this response. */
  setWritten(name: WrittenName, value: WrittenValue): void;
  /**
   * Writes the lines into `target`, each with its CRLF, one space behind its colon and none behind its value.
   *
   * @returns Where they end.
   */
  put(target: Uint8Array, at: number): number;
}
