/**
 * Decodes frames from pieces of any size, strictly by RFC 6455: what the protocol forbids is an error. Fragments are
 * joined into complete messages.
 *
 * @module
 */

import { isUtf8 } from "node:buffer";
import { type CloseStatus, INVALID_TEXT, NO_CODE, PROTOCOL_ERROR, TOO_LARGE, validCloseCode } from "./close_status.ts";
import { MAX_CONTROL_BYTES, Opcode } from "./frame.ts";
import { applyMask } from "./mask.ts";
import type { Message } from "./socket_end.ts";

/** Receives the content of the frames, in order. */
export interface FrameSink {
  /** A complete message. */
  onMessage(message: Message): void;
  /** A ping, which requests a pong with the same payload. */
  onPing(payload: Uint8Array<ArrayBuffer>): void;
  /** A pong, requested or not. */
  onPong(): void;
  /** The Close frame. Everything after it is ignored. */
  onClose(status: CloseStatus): void;
}

/** Options of a decoder. */
export interface FrameDecoderOptions {
  /** Whether the peer must mask (a client) or must not (a server). */
  readonly masked: boolean;
  /** Largest message, in bytes. */
  readonly maxMessageBytes: number;
}

/** A violation of the protocol by the peer. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  /** Code for the Close frame to the peer. */
  readonly code: number;

  /** @param message What the peer sent, as text that fits after "the peer sends". */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Decodes frames. Owned by one connection. */
export class FrameDecoder {
  readonly #options: FrameDecoderOptions;
  readonly #sink: FrameSink;
  readonly #head = new Uint8Array(14);
  #headBytes = 0;
  #inPayload = false;
  #closed = false;

  // The current frame.
  #opcode = 0;
  #fin = false;
  #size = 0;
  #taken = 0;
  #key: Uint8Array = EMPTY;
  #control = EMPTY;

  // The current message; its opcode is 0 between messages.
  #messageOpcode = 0;
  #message = EMPTY;
  #messageBytes = 0;

  constructor(sink: FrameSink, options: FrameDecoderOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /**
   * Decodes the next bytes, and calls the sink with what they complete. `bytes` may be reused afterwards.
   *
   * @param frames Maximum number of frames to complete.
   * @returns Number of bytes that were decoded: fewer than all if there are more frames.
   * @throws {FrameError} The decoder must not be used afterwards.
   */
  push(bytes: Uint8Array, frames = Infinity): number {
    let at = 0;
    while (at < bytes.length && !this.#closed) {
      if (frames === 0) return at;
      if (!this.#inPayload) {
        this.#head[this.#headBytes++] = bytes[at++];
        if (this.#headBytes < 2 || this.#headBytes < headSize(this.#head[1])) continue;
        this.#beginFrame();
      } else {
        const count = Math.min(this.#size - this.#taken, bytes.length - at);
        this.#takePayload(bytes.subarray(at, at + count));
        at += count;
      }
      if (this.#taken !== this.#size) continue;
      frames--;
      this.#endFrame();
    }
    return bytes.length;
  }

  #beginFrame(): void {
    const head = this.#head;
    this.#opcode = head[0] & 0x0f;
    this.#fin = head[0] >= 0x80;
    this.#size = declaredSize(head);
    this.#taken = 0;
    this.#inPayload = true;
    const masked = head[1] >= 0x80;
    if ((head[0] & 0x70) !== 0) throw broken("a frame with reserved bits, though no extension was agreed on");
    if (masked !== this.#options.masked) throw broken(masked ? "a masked frame" : "an unmasked frame");
    this.#key = masked ? head.slice(this.#headBytes - 4, this.#headBytes) : EMPTY;
    this.#headBytes = 0;
    if (this.#opcode >= Opcode.CLOSE) return this.#beginControl();
    if (this.#opcode > Opcode.BINARY) throw broken(`a frame of unknown opcode ${this.#opcode}`);
    if (this.#opcode === Opcode.CONTINUATION) {
      if (this.#messageOpcode === 0) throw broken("a fragment that continues no message");
    } else {
      if (this.#messageOpcode !== 0) throw broken("a new message within a fragmented one");
      this.#messageOpcode = this.#opcode;
    }
    const { maxMessageBytes } = this.#options;
    // Decided by the frame header alone: no part of a message that is too large is stored.
    if (this.#messageBytes + this.#size > maxMessageBytes) {
      throw new FrameError(TOO_LARGE, `a message of more than ${maxMessageBytes} bytes`);
    }
  }

  #beginControl(): void {
    if (this.#opcode > Opcode.PONG) throw broken(`a frame of unknown opcode ${this.#opcode}`);
    if (!this.#fin) throw broken("a fragmented control frame");
    if (this.#size > MAX_CONTROL_BYTES) throw broken(`a control frame of ${this.#size} bytes`);
    this.#control = new Uint8Array(this.#size);
  }

  #takePayload(piece: Uint8Array): void {
    if (this.#opcode >= Opcode.CLOSE) {
      this.#control.set(piece, this.#taken);
    } else {
      const start = this.#messageBytes;
      this.#messageBytes += piece.length;
      this.#makeRoom();
      this.#message.set(piece, start);
      if (this.#key !== EMPTY) applyMask(this.#message.subarray(start, this.#messageBytes), this.#key, this.#taken);
    }
    this.#taken += piece.length;
  }

  // One buffer, however many fragments: a list of them would cost a hundred bytes for each fragment of one byte. It
  // grows with the received bytes, since announcing a length costs the sender nothing.
  #makeRoom(): void {
    const { length } = this.#message;
    if (this.#messageBytes <= length) return;
    const rest = this.#size - this.#taken;
    const whole = length === 0 && this.#fin && rest <= TRUSTED_BYTES ? rest : 0;
    const larger = new Uint8Array(Math.max(whole, this.#messageBytes, length * 2));
    larger.set(this.#message);
    this.#message = larger;
  }

  #endFrame(): void {
    this.#inPayload = false;
    if (this.#opcode >= Opcode.CLOSE) return this.#endControl();
    if (!this.#fin) return;
    const text = this.#messageOpcode === Opcode.TEXT;
    const bytes = this.#message.subarray(0, this.#messageBytes);
    this.#messageOpcode = 0;
    this.#message = EMPTY;
    this.#messageBytes = 0;
    if (text && !isUtf8(bytes)) throw new FrameError(INVALID_TEXT, "a text message that is not UTF-8");
    this.#sink.onMessage({ text, bytes });
  }

  #endControl(): void {
    const payload = this.#control;
    if (this.#key !== EMPTY) applyMask(payload, this.#key);
    if (this.#opcode === Opcode.PING) this.#sink.onPing(payload);
    else if (this.#opcode === Opcode.PONG) this.#sink.onPong();
    else {
      const status = closeStatus(payload);
      this.#closed = true;
      this.#sink.onClose(status);
    }
  }
}

const EMPTY = new Uint8Array(0);
/** Buffers of frames up to this size are allocated at once. */
const TRUSTED_BYTES = 256 * 1024;

function broken(what: string): FrameError {
  return new FrameError(PROTOCOL_ERROR, what);
}

function headSize(second: number): number {
  const size = second & 0x7f;
  return (size === 127 ? 10 : size === 126 ? 4 : 2) + (second >= 0x80 ? 4 : 0);
}

function declaredSize(head: Uint8Array): number {
  const size = head[1] & 0x7f;
  if (size < 126) return size;
  const view = new DataView(head.buffer);
  const long = size === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
  // RFC 6455, section 5.2: the shortest form, and no more than 63 bits. A double has 53; the size limit is lower.
  if (long < (size === 126 ? 126 : 65_536)) throw broken("a length that is not in its shortest form");
  if (head[2] >= 0x80 && size === 127) throw broken("a length of 64 bits");
  return long;
}

function closeStatus(payload: Uint8Array<ArrayBuffer>): CloseStatus {
  if (payload.length === 0) return { code: NO_CODE, reason: "" };
  if (payload.length === 1) throw broken("half a close code");
  const code = payload[0] << 8 | payload[1];
  if (!validCloseCode(code)) throw broken(`the close code ${code}`);
  const reason = payload.subarray(2);
  if (!isUtf8(reason)) throw new FrameError(INVALID_TEXT, "a close reason that is not UTF-8");
  return { code, reason: decoder.decode(reason) };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
