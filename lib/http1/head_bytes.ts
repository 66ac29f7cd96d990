/**
 * Parts of heads, written as bytes where a message is composed. Nothing that is written as text can break out of its line.
 *
 * @module
 */

import { CR, HTAB, LF, SP } from "./octets.ts";
import { statusLine } from "./status_line.ts";
import { type KnownOctets, knownOctets, putKnown } from "./word_view.ts";

/** `text` as bytes, of which all characters are ASCII. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Writes bytes. Returns where they end. */
export function putBytes(bytes: Uint8Array, target: Uint8Array, at: number): number {
  // Quicker than a loop from about 10 bytes on.
  target.set(bytes, at);
  return at + bytes.length;
}

/** Writes `HTTP/1.1 200 OK` with its CRLF at the beginning of `target`. Returns where it ends. */
export function putStatusLine(status: number, target: Uint8Array): number {
  return putKnown(statusLines[status] ??= knownOctets(statusLine(status)), target, 0);
}

/**
 * Writes a header line. Returns where it ends.
 *
 * @throws {TypeError} When its name or its value holds a line break.
 */
export function putField(name: string, value: string, target: Uint8Array, at: number): number {
  at = putChecked(name, target, at);
  target[at] = COLON;
  target[at + 1] = SP;
  return endLine(target, putChecked(value, target, at + 2));
}

/**
 * Writes a line. Returns where it ends.
 *
 * @throws {TypeError} When `text` holds a line break.
 */
export function putLine(text: string, target: Uint8Array, at: number): number {
  return endLine(target, putChecked(text, target, at));
}

/** A value that is written as bytes. */
export interface WrittenValue {
  readonly text: string;
  /** Number of its bytes, or more. */
  readonly length: number;
  /** Writes it. Returns where it ends. */
  put(target: Uint8Array, at: number): number;
}

/** Writes a header line: `name` has a colon and a space behind it. Returns where it ends. */
export function putWritten(name: KnownOctets, value: WrittenValue, target: Uint8Array, at: number): number {
  return endLine(target, value.put(target, putKnown(name, target, at)));
}

/** Writes a header line whose value is a number: `name` has a colon and a space behind it. Returns where it ends. */
export function putNumberField(name: KnownOctets, value: number, target: Uint8Array, at: number): number {
  at = putKnown(name, target, at);
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    target[i] = ZERO + rest - 10 * next;
    rest = next;
  }
  return endLine(target, at + digits);
}

/**
 * Writes `text`, one byte a character. Characters that are no byte become `?`: cutting them down to one could make a line break
 * of them. Bytes of `target` behind it may change.
 *
 * @returns Where it ends.
 */
export function putText(text: string, target: Uint8Array, at = 0): number {
  if (text.length > MAX_LOOP_CHARS) {
    // Heads are almost always ASCII, where the encoder is fastest. One that fills the target may be cut off there, with as
    // many bytes written as it should have, so both counts are compared.
    const { read, written } = encoder.encodeInto(text, at === 0 ? target : target.subarray(at));
    if (read === text.length && written === text.length) return at + written;
  }
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    target[at + i] = code > 0xff ? QUESTION_MARK : code;
  }
  return at + text.length;
}

function putChecked(text: string, target: Uint8Array, at: number): number {
  if (text.length > MAX_LOOP_CHARS && !text.includes("\n") && !text.includes("\r")) return putText(text, target, at);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < SP && code !== HTAB && (code === CR || code === LF)) {
      throw new TypeError(`Cannot write the header line ${JSON.stringify(text.slice(0, 80))}: it holds a line break`);
    }
    target[at + i] = code > 0xff ? QUESTION_MARK : code;
  }
  return at + text.length;
}

function endLine(target: Uint8Array, at: number): number {
  target[at] = CR;
  target[at + 1] = LF;
  return at + 2;
}

const encoder = new TextEncoder();
/** Text of more characters is written quicker by the encoder. */
const MAX_LOOP_CHARS = 64;
/** By status. */
const statusLines: KnownOctets[] = [];
const COLON = 0x3a;
const ZERO = 0x30;
const QUESTION_MARK = 0x3f;
