/**
 * Header lines of a response as bytes.
 *
 * @module
 */

import { bytesOf, type WrittenValue } from "./head_bytes.ts";

/** The name of a header line, before a value that is written as bytes. */
export interface WrittenName {
  readonly lowerName: string;
  /** The name with a colon and a space. */
  readonly bytes: Uint8Array;
}

/** A header line that is always the same. */
export interface FixedLine {
  readonly lowerName: string;
  readonly value: string;
  /** The line with its CRLF. */
  readonly bytes: Uint8Array;
}

/** The line of a name, in lower case, and a value, both of ASCII characters without line breaks. */
export function fixedLine(lowerName: string, value: string): FixedLine {
  return { lowerName, value, bytes: bytesOf(`${lowerName}: ${value}\r\n`) };
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
