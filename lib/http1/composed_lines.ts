/**
 * Header lines of responses that are sent often, written as bytes once.
 *
 * @module
 */

import type { HeaderLines } from "../http/message.ts";
import { putBytes, putField, putWritten, type WrittenValue } from "./head_bytes.ts";
import type { HeaderBytes, WrittenName } from "./header_bytes.ts";

/** Header lines that do not change. Owned by whoever keeps what they describe. */
export class ComposedLines {
  readonly #lines: Readonly<HeaderLines>;
  readonly #contentLength: number;
  #lowerNames: readonly string[] | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  /**
   * @param lines Lines that are not changed any more, without Content-Length.
   * @param contentLength Content-Length; -1 where there is none.
   */
  constructor(lines: Readonly<HeaderLines>, contentLength = -1) {
    this.#lines = lines;
    this.#contentLength = contentLength;
  }

  /** The lines for one response. Their content is written at the first: most files are checked more often than sent. */
  take(): HeaderBytes {
    const lowerNames = this.#lowerNames ??= this.#lines.map((text, i) => i % 2 === 0 ? text.toLowerCase() : "");
    const bytes = this.#bytes ??= writtenBytes(this.#lines);
    return new TakenLines(this.#lines, lowerNames, bytes, this.#contentLength);
  }
}

/** The lines of one response, which has a line of its own behind them. */
class TakenLines implements HeaderBytes {
  readonly #lines: Readonly<HeaderLines>;
  readonly #lowerNames: readonly string[];
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #writtenName: WrittenName | undefined;
  #written: WrittenValue | undefined;
  readonly contentLength: number;
  maxBytes: number;

  constructor(
    lines: Readonly<HeaderLines>,
    lowerNames: readonly string[],
    bytes: Uint8Array<ArrayBuffer>,
    contentLength: number,
  ) {
    this.#lines = lines;
    this.#lowerNames = lowerNames;
    this.#bytes = bytes;
    this.contentLength = contentLength;
    this.maxBytes = bytes.length;
  }

  has(lowerName: string): boolean {
    return this.#lowerNames.includes(lowerName);
  }

  value(lowerName: string): string | undefined {
    const index = this.#lowerNames.indexOf(lowerName);
    if (index >= 0) return this.#lines[index + 1];
    if (lowerName === "content-length" && this.contentLength >= 0) return String(this.contentLength);
    return this.#writtenName?.lowerName === lowerName ? this.#written?.text : undefined;
  }

  setWritten(name: WrittenName, value: WrittenValue): void {
    this.#writtenName = name;
    this.#written = value;
    this.maxBytes += name.octets.length + value.length + 2;
  }

  put(target: Uint8Array, at: number): number {
    at = putBytes(this.#bytes, target, at);
    if (this.#written === undefined) return at;
    return putWritten(this.#writtenName as WrittenName, this.#written, target, at);
  }
}

function writtenBytes(lines: Readonly<HeaderLines>): Uint8Array<ArrayBuffer> {
  let most = 0;
  for (const text of lines) most += text.length + 2;
  const bytes = new Uint8Array(most);
  let end = 0;
  for (let i = 0; i < lines.length; i += 2) end = putField(lines[i], lines[i + 1], bytes, end);
  return bytes.subarray(0, end);
}
