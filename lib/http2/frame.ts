/**
 * Types and flags of frames (RFC 9113, sections 4 and 6), and sizes that no setting changes.
 *
 * @module
 */

export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;

export const FLAG_END_STREAM = 0x1;
export const FLAG_ACK = 0x1;
export const FLAG_END_HEADERS = 0x4;
export const FLAG_PADDED = 0x8;
export const FLAG_PRIORITY = 0x20;

/** Bytes of a frame's header. */
export const FRAME_HEADER_BYTES = 9;
/** Largest payload, unless a setting allows more. */
export const MAX_FRAME_BYTES = 16_384;
/** Largest flow-control window (RFC 9113, section 6.9.1). */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;
/** Window of each stream and of the connection at the beginning (RFC 9113, section 6.9.2). */
export const FIRST_WINDOW_BYTES = 65_535;

/** What a client sends first (RFC 9113, section 3.4). */
export const PREFACE: Uint8Array<ArrayBuffer> = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The number in the 4 bytes from `at` on, without its highest bit, which is reserved. */
export function number31(bytes: Uint8Array, at: number): number {
  return ((bytes[at] & 0x7f) << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

/** The number in the 4 bytes from `at` on. */
export function number32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
