/**
 * Encodes frames (RFC 6455, section 5.2). A message is sent as one frame, however it was received: fragments have no
 * meaning of their own.
 *
 * @module
 */

import { type CloseStatus, NO_CODE } from "./close_status.ts";
import { applyMask, maskingKey } from "./mask.ts";

/** Opcodes of frames. */
export const Opcode = {
  /** Continues a message. */
  CONTINUATION: 0x0,
  /** Begins a text message. */
  TEXT: 0x1,
  /** Begins a binary message. */
  BINARY: 0x2,
  /** Ends the connection. */
  CLOSE: 0x8,
  /** Requests a pong. */
  PING: 0x9,
  /** Responds to a ping. */
  PONG: 0xa,
} as const;

/** Largest payload of a control frame, in bytes. */
export const MAX_CONTROL_BYTES = 125;

/** Options of a frame. */
export interface FrameOptions {
  /** Whether the payload is masked: by clients always, by servers never. */
  readonly masked: boolean;
  /**
   * Whether the frame is the last of its message.
   *
   * @default {true}
   */
  readonly fin?: boolean;
}

/** Encodes a frame. */
export function encodeFrame(opcode: number, payload: Uint8Array, options: FrameOptions): Uint8Array<ArrayBuffer> {
  const { masked, fin = true } = options;
  const size = payload.length;
  const headBytes = (size < 126 ? 2 : size < 65_536 ? 4 : 10) + (masked ? 4 : 0);
  // The payload begins at a multiple of four bytes, where masking is fast.
  const pad = -headBytes & 3;
  const frame = new Uint8Array(pad + headBytes + size).subarray(pad);
  frame[0] = (fin ? 0x80 : 0) | opcode;
  const maskBit = masked ? 0x80 : 0;
  if (size < 126) {
    frame[1] = maskBit | size;
  } else if (size < 65_536) {
    frame[1] = maskBit | 126;
    frame[2] = size >> 8;
    frame[3] = size & 0xff;
  } else {
    frame[1] = maskBit | 127;
    new DataView(frame.buffer, frame.byteOffset).setBigUint64(2, BigInt(size));
  }
  frame.set(payload, headBytes);
  if (masked) {
    const key = maskingKey();
    frame.set(key, headBytes - 4);
    applyMask(frame.subarray(headBytes), key);
  }
  return frame;
}

/** The payload of a Close frame. A reason that is too long is cut where a character ends. */
export function closePayload({ code, reason }: CloseStatus): Uint8Array<ArrayBuffer> {
  if (code === NO_CODE) return new Uint8Array(0);
  const payload = new Uint8Array(MAX_CONTROL_BYTES);
  payload[0] = code >> 8;
  payload[1] = code & 0xff;
  const { written } = encoder.encodeInto(reason, payload.subarray(2));
  return payload.subarray(0, 2 + written);
}

const encoder = new TextEncoder();
