/**
 * A head as it lies in its bytes (RFC 9112, section 2.1): where its parts begin and end. Text is made of what is asked for
 * and of nothing else, so that a head can be passed on, or rewritten line by line, as bytes.
 *
 * @module
 */

import type { HeaderLines } from "../http/message.ts";
import type { FieldName } from "./field_name.ts";
import { knownValue } from "./known_values.ts";
import { ascii, latin1, SP } from "./octets.ts";

/**
 * The parts of one head. Filled by a {@linkcode HeadParser} and valid until that begins another, and as long as the bytes
 * stand where they are. Offsets count from `start`.
 */
export class Head {
  /** Bytes that hold it. */
  bytes: Uint8Array = NOTHING;
  /** Where it begins in `bytes`. */
  start = 0;
  /** Its length with its empty line; 0 while that has not arrived. */
  length = 0;
  /** Length of the first line, without its end. */
  firstLineLength = 0;
  /** Whether an octet above 0x7F is in it. */
  high = false;
  /** Of a request: length of its method. The target begins behind it and a space. */
  methodLength = 0;
  /** Of a request: where its target ends. */
  targetEnd = 0;
  /** Of a response: its status, 100 to 999. */
  status = 0;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  minorVersion = 1;
  /** How many header lines it has. */
  lineCount = 0;
  readonly #names: FieldName[] = [];
  /** For each line: where it begins, where its value begins, and where its value ends. */
  #offsets = new Uint32Array(3 * FIRST_LINES);
  #text: string | undefined;

  /** Forgets what it holds. */
  clear(): void {
    this.bytes = NOTHING;
    this.length = 0;
    this.firstLineLength = 0;
    this.high = false;
    this.methodLength = 0;
    this.targetEnd = 0;
    this.lineCount = 0;
    this.#text = undefined;
  }

  /** Adds a line. For {@linkcode HeadParser} alone. */
  addLine(name: FieldName, lineStart: number, valueStart: number, valueEnd: number): void {
    const line = this.lineCount++;
    const at = 3 * line;
    if (at === this.#offsets.length) this.#grow();
    this.#names[line] = name;
    this.#offsets[at] = lineStart;
    this.#offsets[at + 1] = valueStart;
    this.#offsets[at + 2] = valueEnd;
  }

  /** Name of the line that stood where the next one is going to, in a head before; undefined where none did. */
  get nameBefore(): FieldName | undefined {
    return this.#names[this.lineCount];
  }

  /** Of a request: its method. */
  get method(): string {
    const { bytes, start, methodLength } = this;
    // Most are GET: the literal is the string that methods are compared with.
    const get = methodLength === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54;
    return get ? "GET" : this.#known(0, methodLength);
  }

  /** Of a request: its target. */
  get target(): string {
    const from = this.methodLength + 1;
    return this.high ? this.text(from, this.targetEnd) : this.#known(from, this.targetEnd);
  }

  /** Of a response: its reason phrase, unless there is more than one space before the status. */
  get reason(): string {
    if (this.firstLineLength <= REASON || this.bytes[this.start + REASON - 4] === SP) return "";
    return this.high ? this.text(REASON, this.firstLineLength) : this.#known(REASON, this.firstLineLength);
  }

  /** Name of a line. */
  name(line: number): FieldName {
    return this.#names[line];
  }

  /** Value of a line, without blanks around it. */
  value(line: number): string {
    const from = this.valueStart(line);
    const to = this.valueEnd(line);
    return this.high || this.name(line).secret ? this.text(from, to) : this.#known(from, to);
  }

  /** The number that a line's value is, if it has 1 to 15 digits and nothing else; -1 otherwise. */
  number(line: number): number {
    const { bytes, start } = this;
    const from = start + this.valueStart(line);
    const to = start + this.valueEnd(line);
    if (from === to || to - from > EXACT_DIGITS) return -1;
    let number = 0;
    for (let i = from; i < to; i++) {
      const digit = bytes[i] - ZERO;
      if (digit < 0 || digit > 9) return -1;
      number = 10 * number + digit;
    }
    return number;
  }

  /** Where a line begins: its name is the first thing in it. */
  lineStart(line: number): number {
    return this.#offsets[3 * line];
  }

  /** Where a line's value begins, behind the blanks before it. */
  valueStart(line: number): number {
    return this.#offsets[3 * line + 1];
  }

  /** Where a line's value ends, before the blanks behind it. */
  valueEnd(line: number): number {
    return this.#offsets[3 * line + 2];
  }

  /** All lines in order, names as they came. */
  lines(): HeaderLines {
    this.decode();
    const lines: HeaderLines = [];
    for (let line = 0; line < this.lineCount; line++) lines.push(this.name(line).name, this.value(line));
    return lines;
  }

  /** Makes text of the whole head at once, for whoever is going to ask for most of it. */
  decode(): void {
    this.#text ??= this.text(0, this.length);
  }

  /** Text of the octets from `from` to `to`, one character an octet. */
  text(from: number, to: number): string {
    if (this.#text !== undefined) return this.#text.slice(from, to);
    const { bytes, start } = this;
    return this.high ? latin1(bytes, start + from, start + to) : ascii(bytes, start + from, start + to);
  }

  #known(from: number, to: number): string {
    const { bytes, start } = this;
    const known = knownValue(bytes, start + from, start + to);
    if (known !== undefined) return known;
    // One that is not known seldom comes alone.
    if (this.length > 0) this.decode();
    return this.text(from, to);
  }

  #grow(): void {
    const larger = new Uint32Array(2 * this.#offsets.length);
    larger.set(this.#offsets);
    this.#offsets = larger;
  }
}

const NOTHING = new Uint8Array(0);
const FIRST_LINES = 24;
/** "HTTP/1.1 200 " has 13 characters. */
const REASON = 13;
/** More digits may be more than can be counted exactly. */
const EXACT_DIGITS = 15;
const ZERO = 0x30;
