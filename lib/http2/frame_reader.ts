/**
 * Takes frames (RFC 9113, section 4) out of bytes that are cut anywhere. Data is passed on where it lies. Other payloads
 * are held only where they are cut, and no more of them than has arrived; those of unknown types are skipped.
 *
 * @module
 */

import { ErrorCode, Http2Error } from "./error_code.ts";
import { CONTINUATION, DATA, FLAG_PADDED, FRAME_HEADER_BYTES, MAX_FRAME_BYTES, number31 } from "./frame.ts";

/** Notified of frames. Each function may throw {@linkcode Http2Error}, which ends the reading. */
export interface FrameHandler {
  /** Whether no more frames are to be read. */
  readonly closed: boolean;
  /** The header of a frame has arrived. */
  frameBegins(type: number, flags: number, streamId: number, length: number): void;
  /** A part of a DATA frame: `bytes[start … end)`, which is empty where only padding arrived. `last`: the frame ends. */
  data(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, last: boolean): void;
  /** A whole frame of another type, its payload `bytes[start … end)` valid until this returns. */
  frame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Uint8Array<ArrayBuffer>,
    start: number,
    end: number,
  ): void;
}

/** Reads the frames of one direction of one connection. */
export class FrameReader {
  readonly #handler: FrameHandler;
  /** The beginning of a frame's header that is cut. */
  #header: Uint8Array<ArrayBuffer> | undefined;
  #headerBytes = 0;
  #inFrame = false;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes of the payload that have not arrived, without padding where that is known. */
  #left = 0;
  /** Padding that has not arrived; -1 while its length has not. */
  #padding = 0;
  #held: Uint8Array<ArrayBuffer> | undefined;
  #heldBytes = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Whether a frame has begun and is not complete, unless it is of data. */
  get begun(): boolean {
    return (this.#inFrame && this.#type !== DATA) || this.#headerBytes > 0;
  }

  /**
   * Reads `bytes[start … end)`.
   *
   * @throws {Http2Error} When the peer breaks the protocol.
   */
  read(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    let at = start;
    while (!this.#handler.closed) {
      if (!this.#inFrame) {
        if (at === end) return;
        at = this.#readHeader(bytes, at, end);
        if (!this.#inFrame) return;
      }
      if (this.#type === DATA) at = this.#readData(bytes, at, end);
      else if (this.#type > CONTINUATION) at = this.#skip(at, end);
      else at = this.#readPayload(bytes, at, end);
      if (this.#inFrame) return;
    }
  }

  #readHeader(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): number {
    if (this.#headerBytes === 0 && end - start >= FRAME_HEADER_BYTES) {
      this.#begin(bytes, start);
      return start + FRAME_HEADER_BYTES;
    }
    const header = this.#header ??= new Uint8Array(FRAME_HEADER_BYTES);
    let at = start;
    while (at < end && this.#headerBytes < FRAME_HEADER_BYTES) header[this.#headerBytes++] = bytes[at++];
    if (this.#headerBytes === FRAME_HEADER_BYTES) {
      this.#headerBytes = 0;
      this.#begin(header, 0);
    }
    return at;
  }

  #begin(header: Uint8Array, at: number): void {
    const length = (header[at] << 16) | (header[at + 1] << 8) | header[at + 2];
    if (length > MAX_FRAME_BYTES) {
      throw new Http2Error(
        ErrorCode.FRAME_SIZE_ERROR,
        `A frame of ${length} bytes, at most ${MAX_FRAME_BYTES} are allowed`,
      );
    }
    this.#type = header[at + 3];
    this.#flags = header[at + 4];
    this.#streamId = number31(header, at + 5);
    this.#left = length;
    this.#inFrame = true;
    this.#padding = 0;
    if (this.#type === DATA && (this.#flags & FLAG_PADDED) !== 0) {
      if (length === 0) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, "A padded DATA frame is empty");
      this.#padding = -1;
    }
    this.#handler.frameBegins(this.#type, this.#flags, this.#streamId, length);
  }

  #readData(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): number {
    let at = start;
    if (this.#padding < 0) {
      if (at === end) return at;
      this.#padding = bytes[at++];
      if (this.#padding >= this.#left) {
        throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "The padding is longer than its frame");
      }
      this.#left -= 1 + this.#padding;
    }
    const dataStart = at;
    const count = Math.min(this.#left, end - at);
    this.#left -= count;
    at += count;
    const dataEnd = at;
    if (this.#left === 0) {
      const padding = Math.min(this.#padding, end - at);
      this.#padding -= padding;
      at += padding;
    }
    const last = this.#left === 0 && this.#padding === 0;
    this.#inFrame = !last;
    if (last || dataEnd > dataStart) this.#handler.data(bytes, dataStart, dataEnd, last);
    return at;
  }

  #skip(start: number, end: number): number {
    const count = Math.min(this.#left, end - start);
    this.#left -= count;
    this.#inFrame = this.#left > 0;
    return start + count;
  }

  #readPayload(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): number {
    const left = this.#left;
    if (this.#heldBytes === 0 && end - start >= left) {
      this.#inFrame = false;
      this.#handler.frame(this.#type, this.#flags, this.#streamId, bytes, start, start + left);
      return start + left;
    }
    const count = Math.min(left, end - start);
    this.#hold(bytes, start, start + count);
    this.#left -= count;
    if (this.#left === 0) {
      const held = this.#held as Uint8Array<ArrayBuffer>;
      const heldBytes = this.#heldBytes;
      this.#held = undefined;
      this.#heldBytes = 0;
      this.#inFrame = false;
      this.#handler.frame(this.#type, this.#flags, this.#streamId, held, 0, heldBytes);
    }
    return start + count;
  }

  #hold(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const needed = this.#heldBytes + end - start;
    let held = this.#held ?? new Uint8Array(Math.max(MIN_HELD_BYTES, needed));
    if (held.length < needed) {
      const larger = new Uint8Array(Math.max(needed, 2 * held.length));
      larger.set(held.subarray(0, this.#heldBytes));
      held = larger;
    }
    held.set(bytes.subarray(start, end), this.#heldBytes);
    this.#held = held;
    this.#heldBytes = needed;
  }
}

const MIN_HELD_BYTES = 64;
