/**
 * Error codes of RST_STREAM and GOAWAY frames (RFC 9113, section 7), and the error that ends a connection with one.
 *
 * @module
 */

import type { FloodCause } from "./flood_budget.ts";

/** The codes by their names in the RFC. */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

/** The name of a code, for messages; its number where the RFC has none. */
export function errorName(code: number): string {
  return NAMES[code] ?? `error 0x${code.toString(16)}`;
}

/** Ends a connection: the peer broke the protocol (RFC 9113, section 5.4.1), or the connection is not to go on. */
export class Http2Error extends Error {
  override readonly name = "Http2Error";
  /** The code for GOAWAY. */
  readonly code: number;
  /** The budget that ran out; undefined where the cause is another one. */
  readonly flood: FloodCause | undefined;

  constructor(code: number, message: string, flood?: FloodCause) {
    super(message);
    this.code = code;
    this.flood = flood;
  }
}

/** The peer broke the protocol. */
export function protocolError(message: string): Http2Error {
  return new Http2Error(ErrorCode.PROTOCOL_ERROR, message);
}

/** The peer broke the rules of windows. */
export function flowError(message: string): Http2Error {
  return new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, message);
}

/** A frame has a length that its type does not have. */
export function sizeError(what: string): Http2Error {
  return new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `${what} has the wrong length`);
}

const NAMES: readonly string[] = Object.keys(ErrorCode);
