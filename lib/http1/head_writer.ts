/**
 * The writer of heads: lines become bytes, from text or from a head that was read, in one spelling. Nothing that it writes
 * line by line can break out of its line.
 *
 * @module
 */

// @ts-types="../../types/std/http-status.d.ts"
import { STATUS_TEXT } from "@std/http/status";
import type { Head } from "./head.ts";
import { CR, LF, SP } from "./octets.ts";

/**
 * Writes `text` into `target` from `at` on, one byte a character. Characters that are no byte become `?`: cutting them down to
 * one could make a line break of them. Bytes of `target` behind it may change.
 *
 * @returns Where it ends.
 */
export function putText(text: string, target: Uint8Array, at = 0): number {
  // Heads are almost always ASCII, where the encoder is fastest. One that fills the target may be cut off there, with as many
  // bytes written as it should have, so both counts are compared.
  const { read, written } = encoder.encodeInto(text, at === 0 ? target : target.subarray(at));
  if (read !== text.length || written !== text.length) {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      target[at + i] = code > 0xff ? QUESTION_MARK : code;
    }
  }
  return at + text.length;
}

/** `HTTP/1.1 200 OK` with its CRLF; without a reason phrase where none is known (RFC 9112, section 4). */
export function statusLine(status: number): string {
  return statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? ""}\r\n`;
}

/** Writes heads into a buffer that it owns and that grows. */
export class HeadWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #baseBytes: number;

  /** @param baseBytes Size of its buffer at first. */
  constructor(baseBytes = 2048) {
    this.#baseBytes = baseBytes;
    this.#bytes = new Uint8Array(baseBytes);
  }

  /** What is written. The bytes change with the next head. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins again. */
  clear(): void {
    this.#length = 0;
  }

  /** Lets go of memory that an unusual head took. */
  trim(): void {
    if (this.#bytes.length > 4 * this.#baseBytes) this.#bytes = new Uint8Array(this.#baseBytes);
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
    const start = this.#length;
    this.text(name + ": " + value + "\r\n");
    if (this.#bytes.indexOf(LF, start) !== this.#length - 1) {
      this.#length = start;
      throw new TypeError(`Cannot write the header line "${name}": it holds a line break`);
    }
  }

  /** Writes a line of a head as it came, with one space behind its colon and none behind its value. */
  copyLine(head: Head, line: number): void {
    const { bytes, start } = head;
    const nameStart = head.lineStart(line);
    const nameEnd = nameStart + head.name(line).name.length;
    const valueStart = head.valueStart(line);
    const valueEnd = head.valueEnd(line);
    this.#reserve(nameEnd - nameStart + valueEnd - valueStart + 4);
    this.#copy(bytes, start + nameStart, start + nameEnd);
    this.#bytes[this.#length++] = COLON;
    this.#bytes[this.#length++] = SP;
    this.#copy(bytes, start + valueStart, start + valueEnd);
    this.endLine();
  }

  /** Writes bytes as they are. */
  copy(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#reserve(end - start);
    this.#copy(bytes, start, end);
  }

  /** Writes a line end; a second one ends the head. */
  endLine(): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = CR;
    this.#bytes[this.#length++] = LF;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const target = this.#bytes;
    let to = this.#length;
    // A loop is quicker than a view and a native call for what most lines are.
    if (end - start <= 64) { for (let i = start; i < end; i++) target[to++] = bytes[i]; }
    else target.set(bytes.subarray(start, end), to);
    this.#length += end - start;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed + this.#baseBytes, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

const statusLines: string[] = [];
const encoder = new TextEncoder();
const QUESTION_MARK = 0x3f;
const COLON = 0x3a;
