/**
 * The octets that heads are made of, and text of them: one character an octet (ISO 8859-1).
 *
 * @module
 */

/** Horizontal tab. */
export const HTAB = 0x09;
/** Line feed. */
export const LF = 0x0a;
/** Carriage return. */
export const CR = 0x0d;
/** Space. */
export const SP = 0x20;
/** `:` */
export const COLON = 0x3a;
/** Delete, the one control character above the others. */
export const DEL = 0x7f;

/** 1 for each octet that a token may hold (RFC 9110, section 5.6.2). */
export const TCHAR: Uint8Array = tokenTable();

/** Text of `bytes[start … end)`, whatever they are. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  // In pieces: a spread of a whole large head would overflow the stack.
  for (let i = start; i < end; i += 4096) text += String.fromCharCode(...bytes.subarray(i, Math.min(i + 4096, end)));
  return text;
}

/** Text of `bytes[start … end)`, none of which is above 0x7F: quicker than {@linkcode latin1}. */
export function ascii(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

/** The beginning of `text`, for messages. */
export function shown(text: string): string {
  return text.length > 80 ? text.slice(0, 80) + "…" : text;
}

/** `0x0d`, for messages. */
export function hex(byte: number): string {
  return "0x" + byte.toString(16).padStart(2, "0");
}

const decoder = new TextDecoder();

function tokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
    table[char.charCodeAt(0)] = 1;
  }
  return table;
}
