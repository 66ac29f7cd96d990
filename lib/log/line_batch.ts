/**
 * Lines as bytes that are gathered to be written together.
 *
 * @module
 */

import { jsonString } from "./printable.ts";

/** What was added since the last batch. Holds no memory while it is empty. */
export class LineBatch {
  #bytes = NOTHING;
  #length = 0;
  /** Length of the last batch: the next one will be about as long. */
  #lastLength = 0;

  /** Number of bytes. */
  get length(): number {
    return this.#length;
  }

  /** Removes what stands behind the first `length` bytes. */
  cut(length: number): void {
    this.#length = length;
  }

  /** Removes all, and returns it. The caller owns the bytes. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#lastLength = this.#length;
    this.#bytes = NOTHING;
    this.#length = 0;
    return taken;
  }

  /** Adds text, as UTF-8. */
  text(text: string): void {
    this.#reserve(3 * text.length);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  /** Adds `text`, of which all characters are ASCII, and which is short. */
  ascii(text: string): void {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    const at = this.#length;
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
    this.#length = at + text.length;
  }

  /** Adds bytes. */
  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Adds one byte. */
  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  /** Adds what writes itself as bytes. */
  written(value: WrittenText): void {
    this.#reserve(value.length);
    this.#length = value.put(this.#bytes, this.#length);
  }

  /** Adds an integer of 0 or more, in decimal digits. */
  integer(value: number): void {
    if (value > MAX_INT) return this.ascii(String(value));
    this.#reserve(MAX_DIGITS);
    const bytes = this.#bytes;
    let end = this.#length + 1;
    for (let rest = value | 0; rest >= 10; rest = (rest / 10) | 0) end++;
    let rest = value | 0;
    for (let i = end - 1; i >= this.#length; i--) {
      const next = (rest / 10) | 0;
      bytes[i] = ZERO + rest - 10 * next;
      rest = next;
    }
    this.#length = end;
  }

  /** Adds a time in milliseconds, with three decimals at most; one below 0 as 0. */
  milliseconds(ms: number): void {
    const us = Math.max(0, Math.round(ms * 1000));
    const whole = Math.floor(us / 1000);
    this.integer(whole);
    const rest = us - 1000 * whole;
    if (rest === 0) return;
    this.byte(DOT);
    const hundreds = Math.floor(rest / 100);
    this.byte(ZERO + hundreds);
    if (rest % 100 === 0) return;
    const tens = Math.floor(rest / 10) - 10 * hundreds;
    this.byte(ZERO + tens);
    if (rest % 10 !== 0) this.byte(ZERO + rest % 10);
  }

  /** Adds text as a JSON string, without control characters. */
  json(text: string): void {
    if (text.length > MAX_LOOP_CHARS) return this.text(jsonString(text));
    this.#reserve(text.length + 2);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = QUOTE;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < SPACE || code > TILDE || code === QUOTE || code === BACKSLASH) return this.text(jsonString(text));
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#length = at;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length, this.#lastLength + LEAST_BYTES));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Text of ASCII characters that is written as bytes. */
export interface WrittenText {
  /** Number of its bytes, or more. */
  readonly length: number;
  /** Writes it. Returns where it ends. */
  put(target: Uint8Array, at: number): number;
}

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
const LEAST_BYTES = 512;
const MAX_INT = 2 ** 31 - 1;
/** Of that integer. */
const MAX_DIGITS = 10;
/** Text of more characters is written quicker by the encoder. */
const MAX_LOOP_CHARS = 64;
const ZERO = 0x30;
const DOT = 0x2e;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const TILDE = 0x7e;
