/**
 * Header lines of a head that are passed on as they came, as bytes.
 *
 * @module
 */

import type { HeaderLines } from "../http/message.ts";
import type { Head } from "./head.ts";
import { putWritten, type WrittenValue } from "./head_bytes.ts";
import type { FixedLine, HeaderBytes, WrittenName } from "./header_bytes.ts";
import { COLON, CR, LF, SP } from "./octets.ts";
import { copyOctets, putKnown } from "./word_view.ts";

/** Chosen lines of one head, and lines of the proxy behind them. Valid as long as the head is, and until {@linkcode begin}. */
export class PassedLines implements HeaderBytes {
  #head: Head | undefined;
  #count = 0;
  /** For each run: where it begins, and where it ends; or the number of a line to be respelled, and {@linkcode LINE}. */
  #runs = new Uint32Array(2 * FIRST_RUNS);
  /** Numbers of the lines. */
  #lines = new Uint32Array(FIRST_RUNS);
  #lineCount = 0;
  /** As many bytes as they take, or a few more. */
  maxBytes = 0;
  /** Content-Length of the response, which is not among the lines; -1 where it has none. */
  contentLength = -1;
  /** Lines that stand in for those that are not passed on as they came. */
  others: HeaderLines = [];
  /** Lines of the proxy's own behind the others: one that is always the same, and one with a value of this response. */
  #fixed: FixedLine | undefined;
  #written: WrittenValue | undefined;
  #writtenName: WrittenName | undefined;

  /** Begins with no line of `head`. */
  begin(head: Head): void {
    this.#head = head;
    this.#count = 0;
    this.#lineCount = 0;
    this.maxBytes = 0;
    this.contentLength = -1;
    if (this.others.length > 0) this.others = [];
    this.#fixed = undefined;
    this.#written = undefined;
  }

  /** Sets the line of the proxy's own that stands behind the others. */
  setFixed(line: FixedLine): void {
    this.#fixed = line;
    this.maxBytes += line.octets.length;
  }

  /** Sets the line behind that one. */
  setWritten(name: WrittenName, value: WrittenValue): void {
    this.#writtenName = name;
    this.#written = value;
    this.maxBytes += name.octets.length + value.length + 2;
  }

  /** Adds a line, behind those that were added. */
  add(line: number): void {
    const head = this.#head as Head;
    if (this.#lineCount === this.#lines.length) this.#grow();
    this.#lines[this.#lineCount++] = line;
    const start = head.lineStart(line);
    const end = head.valueEnd(line);
    this.maxBytes += end - start + 4;
    const at = 2 * this.#count;
    const runs = this.#runs;
    if (!asSent(head, line)) {
      runs[at] = line;
      runs[at + 1] = LINE;
      this.#count++;
    } else if (at > 0 && runs[at - 1] === start) {
      runs[at - 1] = end + 2;
    } else {
      runs[at] = start;
      runs[at + 1] = end + 2;
      this.#count++;
    }
  }

  /** Whether a line of the head is called `lowerName`. */
  has(lowerName: string): boolean {
    const head = this.#head as Head;
    for (let i = 0; i < this.#lineCount; i++) if (head.name(this.#lines[i]).lower === lowerName) return true;
    return false;
  }

  /** The value of the first line called `lowerName`, Content-Length too; undefined without one. */
  value(lowerName: string): string | undefined {
    const head = this.#head as Head;
    for (let i = 0; i < this.#lineCount; i++) {
      if (head.name(this.#lines[i]).lower === lowerName) return head.value(this.#lines[i]);
    }
    if (lowerName === "content-length" && this.contentLength >= 0) return String(this.contentLength);
    if (this.#fixed?.lowerName === lowerName) return this.#fixed.value;
    return this.#writtenName?.lowerName === lowerName ? this.#written?.text : undefined;
  }

  /**
   * Writes the lines into `target`, each with its CRLF, one space behind its colon and none behind its value.
   *
   * @returns Where they end.
   */
  put(target: Uint8Array, at: number): number {
    const { bytes, start } = this.#head as Head;
    for (let run = 0; run < 2 * this.#count; run += 2) {
      const from = this.#runs[run];
      const to = this.#runs[run + 1];
      at = to === LINE ? this.#putLine(from, target, at) : copyOctets(bytes, start + from, start + to, target, at);
    }
    if (this.#fixed !== undefined) at = putKnown(this.#fixed, target, at);
    if (this.#written === undefined) return at;
    return putWritten(this.#writtenName as WrittenName, this.#written, target, at);
  }

  #putLine(line: number, target: Uint8Array, at: number): number {
    const head = this.#head as Head;
    const { bytes, start } = head;
    const nameStart = start + head.lineStart(line);
    at = copyOctets(bytes, nameStart, nameStart + head.name(line).name.length, target, at);
    target[at] = COLON;
    target[at + 1] = SP;
    at = copyOctets(bytes, start + head.valueStart(line), start + head.valueEnd(line), target, at + 2);
    target[at] = CR;
    target[at + 1] = LF;
    return at + 2;
  }

  #grow(): void {
    const lines = new Uint32Array(2 * this.#lines.length);
    lines.set(this.#lines);
    this.#lines = lines;
    const runs = new Uint32Array(4 * this.#lines.length);
    runs.set(this.#runs);
    this.#runs = runs;
  }
}

/** Whether a line is spelled as BWS would spell it. */
function asSent(head: Head, line: number): boolean {
  const { bytes, start } = head;
  const valueStart = head.valueStart(line);
  return valueStart === head.lineStart(line) + head.name(line).name.length + 2 &&
    bytes[start + valueStart - 1] === SP && bytes[start + head.valueEnd(line)] === CR;
}

const FIRST_RUNS = 32;
const LINE = 0xffff_ffff;
