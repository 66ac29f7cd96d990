/**
 * Writes DER, and reads as much of it as the identifier of a certificate needs (ITU-T X.690).
 *
 * @module
 */

/** Bytes of an encoded value. */
export type Der = Uint8Array<ArrayBuffer>;

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;

/** A value of any tag. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Der {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const head = [tag, ...lengthBytes(length)];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of contents) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

export const sequence = (...parts: readonly Uint8Array[]): Der => der(SEQUENCE, ...parts);

export const set = (...parts: readonly Uint8Array[]): Der => der(SET, ...parts);

export const octetString = (bytes: Uint8Array): Der => der(OCTET_STRING, bytes);

/** @param unused Bits of the last byte that do not count. */
export const bitString = (bytes: Uint8Array, unused = 0): Der => der(BIT_STRING, Uint8Array.of(unused), bytes);

export const boolean = (value: boolean): Der => der(BOOLEAN, Uint8Array.of(value ? 0xff : 0));

export const utf8String = (text: string): Der => der(UTF8_STRING, new TextEncoder().encode(text));

/** `[number]` of the context; constructed where it holds other values. */
export const context = (number: number, constructed: boolean, ...parts: readonly Uint8Array[]): Der =>
  der(0x80 | (constructed ? 0x20 : 0) | number, ...parts);

/** An integer of 0 or more from its bytes, the most significant first. */
export function integer(bytes: Uint8Array): Der {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const short = bytes.subarray(start);
  return (short[0] & 0x80) === 0 ? der(INTEGER, short) : der(INTEGER, Uint8Array.of(0), short);
}

/** An object identifier from its dotted form, such as `2.5.29.17`. */
export function oid(dotted: string): Der {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift(0x80 | (left & 0x7f));
    bytes.push(...groups);
  }
  return der(OID, Uint8Array.from(bytes));
}

/** A time in the form that RFC 5280, section 4.1.2.5 asks for: UTCTime until 2049, GeneralizedTime from then on. */
export function time(ms: number): Der {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, "");
  const late = new Date(ms).getUTCFullYear() >= 2050;
  return der(late ? GENERALIZED_TIME : UTC_TIME, new TextEncoder().encode(late ? digits : digits.slice(2)));
}

/** A value that was read. */
export interface DerValue {
  readonly tag: number;
  /** What the value holds, without tag and length. */
  readonly contents: Uint8Array;
  /** The whole value. */
  readonly whole: Uint8Array;
}

/**
 * Reads the values that follow each other in `bytes`.
 *
 * @throws {RangeError} When one is cut off, or has a form that certificates do not have.
 */
export function readValues(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at];
    let start = at + 2;
    let length = bytes[at + 1];
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4) throw new RangeError(`Cannot read DER: found a length of ${count} bytes`);
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + bytes[start + i];
      start += count;
    }
    const end = start + length;
    if (!(end <= bytes.length) || (tag & 0x1f) === 0x1f) throw new RangeError("Cannot read DER: it is cut off");
    values.push({ tag, contents: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return values;
}
