/**
 * The writer of heads: lines become bytes, from text or from a head that was read, in one spelling. Nothing that it writes
 * line by line can break out of its line.
 *
 * @module
 */

import { FrontViews } from "./front_views.ts";
import type { Head } from "./head.ts";
import { putField, putText, putWritten, type WrittenValue } from "./head_bytes.ts";
import { CR, latin1, LF, SP } from "./octets.ts";
import { copyOctets, type KnownOctets, putKnown } from "./word_view.ts";

/** Writes heads into memory that it owns, and into more of it where that is not enough. */
export class HeadWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #views: FrontViews;

  /** @param memory Where heads are written that fit. */
  constructor(memory: Uint8Array<ArrayBuffer> = new Uint8Array(2048)) {
    this.#bytes = this.#memory = memory;
    this.#views = new FrontViews(memory);
  }

  /** What is written. The bytes change with the next head. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#views.frontOf(this.#bytes, this.#length);
  }

  /** What is written, as text, one character a byte. */
  toText(): string {
    return latin1(this.#bytes, 0, this.#length);
  }

  /** Begins again, behind `length` bytes that are kept. */
  clear(length = 0): void {
    this.#length = length;
  }

  /** Number of bytes that are written. */
  get length(): number {
    return this.#length;
  }

  /** Lets go of the memory of a head that did not fit, and of the head. */
  trim(): void {
    this.#bytes = this.#memory;
  }

  /** Writes text as it is, one byte a character: a first line, or a head that was put together before. */
  text(text: string): void {
    this.#reserve(text.length);
    this.#length = putText(text, this.#bytes, this.#length);
  }

  /**
   * Writes a header line.
   *
   * @throws {TypeError} When its name or its value holds a line break.
   */
  line(name: string, value: string): void {
    this.#reserve(name.length + value.length + 4);
    this.#length = putField(name, value, this.#bytes, this.#length);
  }

  /** Writes a header line: `name` has a colon and a space behind it. */
  writtenLine(name: KnownOctets, value: WrittenValue): void {
    this.#reserve(name.octets.length + value.length + 2);
    this.#length = putWritten(name, value, this.#bytes, this.#length);
  }

  /** Writes a line of a head as it came, with one space behind its colon and none behind its value. */
  copyLine(head: Head, line: number): void {
    const { bytes, start } = head;
    const nameStart = head.lineStart(line);
    const nameEnd = nameStart + head.name(line).name.length;
    const valueStart = head.valueStart(line);
    const valueEnd = head.valueEnd(line);
    this.#reserve(nameEnd - nameStart + valueEnd - valueStart + 4);
    this.#length = copyOctets(bytes, start + nameStart, start + nameEnd, this.#bytes, this.#length);
    this.#bytes[this.#length++] = COLON;
    this.#bytes[this.#length++] = SP;
    this.#length = copyOctets(bytes, start + valueStart, start + valueEnd, this.#bytes, this.#length);
    this.endLine();
  }

  /** Writes known octets as they are. */
  known(known: KnownOctets): void {
    this.#reserve(known.octets.length);
    this.#length = putKnown(known, this.#bytes, this.#length);
  }

  /** Writes bytes as they are. */
  copy(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#reserve(end - start);
    this.#length = copyOctets(bytes, start, end, this.#bytes, this.#length);
  }

  /** Writes a line end; a second one ends the head. */
  endLine(): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = CR;
    this.#bytes[this.#length++] = LF;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed + 2048, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

const COLON = 0x3a;
