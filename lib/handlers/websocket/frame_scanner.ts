/**
 * Scans a stream of frames (RFC 6455, section 5.2) without decoding it: heads are read, payloads are skipped by their
 * length. So the bytes can be passed on as they are, and it is still known where a frame ends, which control frames
 * pass, and how large messages are.
 *
 * What the receiver judges as well is not checked here: reserved bits and payloads (which extensions define), the order
 * of fragments, UTF-8, close codes. Checked is what the proxy must agree on with both peers: where frames end.
 *
 * @module
 */

import { PROTOCOL_ERROR, TOO_LARGE } from "./close_status.ts";
import { MAX_CONTROL_BYTES, Opcode } from "./frame.ts";
import { FrameError } from "./frame_decoder.ts";

/** Why a scan stopped. */
export enum ScanStop {
  /** All bytes are scanned. */
  End,
  /** The bytes end within the head of a frame, or within a control frame. */
  Incomplete,
  /** Behind a control frame. */
  Control,
  /** Between two frames, as the caller asked. */
  Boundary,
  /** In front of a frame that breaks the protocol. */
  Violation,
}

/** Largest part of a stream that is scanned as one: the head of a frame, or a whole control frame. */
export const MAX_UNIT_BYTES: number = 14 + MAX_CONTROL_BYTES;

/** What a scanner requires. */
export interface FrameScannerOptions {
  /** Whether the peer must mask (a client) or must not (a server). */
  readonly masked: boolean;
  /** Largest message, in bytes as they are sent. */
  readonly maxMessageBytes: number;
}

/** Scans the frames of one direction. Owned by one end of a tunnel. */
export class FrameScanner {
  /** Why the last scan stopped. */
  stop: ScanStop = ScanStop.End;
  /** Complete messages since the owner set it to 0. */
  messages = 0;
  /** Bytes of the payloads of messages since the owner set it to 0. */
  payloadBytes = 0;
  /** Opcode of the control frame, after {@linkcode ScanStop.Control}. */
  opcode = 0;
  /** Where the control frame begins in the scanned bytes. */
  frameStart = 0;
  /** The violation, after {@linkcode ScanStop.Violation}. */
  violation: FrameError | undefined;
  readonly #masked: boolean;
  readonly #maxMessageBytes: number;
  /** Bytes of the current frame's payload that have not arrived. */
  #remaining = 0;
  /** Whether the current frame is the last of its message. */
  #fin = false;
  /** Bytes of the current message's frames so far. */
  #messageBytes = 0;
  /** Where the control frame's payload begins, and where it ends. */
  #payloadStart = 0;
  #payloadEnd = 0;

  constructor({ masked, maxMessageBytes }: FrameScannerOptions) {
    this.#masked = masked;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Whether the scanned bytes end between two frames. */
  get betweenFrames(): boolean {
    return this.#remaining === 0;
  }

  /**
   * Scans `bytes[at … end)`, which continue what was scanned before. After {@linkcode ScanStop.Incomplete}, the bytes
   * from the returned position on are scanned again, together with those that follow them.
   *
   * @param toBoundary Whether to stop at the next end of a frame.
   * @returns The position up to which the bytes are scanned.
   */
  scan(bytes: Uint8Array, at: number, end: number, toBoundary = false): number {
    for (;;) {
      if (this.#remaining > 0) {
        const count = Math.min(this.#remaining, end - at);
        this.#remaining -= count;
        this.payloadBytes += count;
        at += count;
        if (this.#remaining > 0) return this.#stopped(ScanStop.End, at);
        if (this.#fin) this.#endMessage();
      }
      if (at === end) return this.#stopped(ScanStop.End, at);
      if (toBoundary) return this.#stopped(ScanStop.Boundary, at);
      const available = end - at;
      if (available < 2) return this.#stopped(ScanStop.Incomplete, at);
      const first = bytes[at];
      const second = bytes[at + 1];
      const opcode = first & 0x0f;
      const short = second & 0x7f;
      if (second >= 0x80 !== this.#masked) {
        return this.#broken(this.#masked ? "an unmasked frame" : "a masked frame", at);
      }
      const maskBytes = this.#masked ? 4 : 0;
      if (opcode >= Opcode.CLOSE) {
        if (opcode > Opcode.PONG) return this.#broken(`a frame of unknown opcode ${opcode}`, at);
        if (first < 0x80) return this.#broken("a fragmented control frame", at);
        if (short > MAX_CONTROL_BYTES) {
          return this.#broken(`a control frame of more than ${MAX_CONTROL_BYTES} bytes`, at);
        }
        if (available < 2 + maskBytes + short) return this.#stopped(ScanStop.Incomplete, at);
        this.opcode = opcode;
        this.frameStart = at;
        this.#payloadStart = at + 2 + maskBytes;
        this.#payloadEnd = this.#payloadStart + short;
        return this.#stopped(ScanStop.Control, this.#payloadEnd);
      }
      if (opcode > Opcode.BINARY) return this.#broken(`a frame of unknown opcode ${opcode}`, at);
      const headBytes = (short === 127 ? 10 : short === 126 ? 4 : 2) + maskBytes;
      if (available < headBytes) return this.#stopped(ScanStop.Incomplete, at);
      const size = short < 126 ? short : short === 126 ? bytes[at + 2] << 8 | bytes[at + 3] : longSize(bytes, at + 2);
      if (size > Number.MAX_SAFE_INTEGER) return this.#broken("a frame of 2^53 bytes or more", at);
      // Decided by the head alone: no part of a frame that makes the message too large is passed on.
      if (this.#messageBytes + size > this.#maxMessageBytes) {
        this.violation = new FrameError(TOO_LARGE, `a message of more than ${this.#maxMessageBytes} bytes`);
        return this.#stopped(ScanStop.Violation, at);
      }
      this.#messageBytes += size;
      this.#remaining = size;
      this.#fin = first >= 0x80;
      at += headBytes;
      if (size === 0 && this.#fin) this.#endMessage();
    }
  }

  /**
   * The payload of the control frame after {@linkcode ScanStop.Control}, unmasked.
   *
   * @param bytes The scanned bytes.
   */
  controlPayload(bytes: Uint8Array): Uint8Array {
    const payload = bytes.slice(this.#payloadStart, this.#payloadEnd);
    for (let i = 0; i < payload.length; i++) payload[i] = this.#payloadByte(bytes, i);
    return payload;
  }

  /** Whether the control frame after {@linkcode ScanStop.Control} has exactly `payload`. */
  hasPayload(bytes: Uint8Array, payload: Uint8Array): boolean {
    if (this.#payloadEnd - this.#payloadStart !== payload.length) return false;
    for (let i = 0; i < payload.length; i++) {
      if (this.#payloadByte(bytes, i) !== payload[i]) return false;
    }
    return true;
  }

  #payloadByte(bytes: Uint8Array, index: number): number {
    const byte = bytes[this.#payloadStart + index];
    return this.#masked ? byte ^ bytes[this.#payloadStart - 4 + (index & 3)] : byte;
  }

  #endMessage(): void {
    this.messages++;
    this.#messageBytes = 0;
  }

  #broken(what: string, at: number): number {
    this.violation = new FrameError(PROTOCOL_ERROR, what);
    return this.#stopped(ScanStop.Violation, at);
  }

  #stopped(stop: ScanStop, at: number): number {
    this.stop = stop;
    return at;
  }
}

// Exact below 2^53; above, large enough to be refused.
function longSize(bytes: Uint8Array, at: number): number {
  const high = (bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]) >>> 0;
  const low = (bytes[at + 4] << 24 | bytes[at + 5] << 16 | bytes[at + 6] << 8 | bytes[at + 7]) >>> 0;
  return high * 2 ** 32 + low;
}
