/**
 * Writes frames one behind the other into one buffer, which is sent with one call. Buffers are borrowed from a pool of
 * the thread, and only while something waits to be sent.
 *
 * @module
 */

import type { Ownership } from "../http/body.ts";
import {
  CONTINUATION,
  DATA,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FRAME_HEADER_BYTES,
  GOAWAY,
  HEADERS,
  MAX_FRAME_BYTES,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from "./frame.ts";

/** Where written bytes go: a socket, or a test. */
export interface ByteSink {
  /** Takes bytes, as `Socket.write` does. */
  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean;
  /** Written bytes that the system has not accepted. */
  readonly queuedBytes: number;
}

/** Writes the frames of one direction of one connection. */
export class FrameWriter {
  /** Bytes that were written in total. */
  totalBytes = 0;
  readonly #sink: ByteSink;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;
  /** Index of the last frame, if that is DATA of the stream {@linkcode #dataStreamId}; else -1. */
  #dataAt = -1;
  #dataStreamId = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Bytes that the peer's system has not taken, written or still to be written. */
  get waitingBytes(): number {
    return this.#length + this.#sink.queuedBytes;
  }

  /** Whether there is something to {@linkcode flush}. */
  get pending(): boolean {
    return this.#length > 0;
  }

  /** Sends what was written. */
  flush(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    const length = this.#length;
    this.#buffer = undefined;
    this.#length = 0;
    this.#dataAt = -1;
    this.totalBytes += length;
    if (length > 0) this.#sink.write(buffer.subarray(0, length), "lent");
    if (pool.length < MAX_KEPT) pool.push(buffer);
  }

  /** Drops what was written and not sent. */
  drop(): void {
    this.#length = 0;
    this.flush();
  }

  /** Bytes as they are, such as the preface. */
  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    (this.#buffer as Uint8Array).set(bytes, at);
  }

  /** DATA with `bytes[start … end)`, at most as many as a frame holds. */
  data(streamId: number, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    const at = this.#frame(DATA, endStream ? FLAG_END_STREAM : 0, streamId, end - start);
    const buffer = this.#buffer as Uint8Array;
    if (start === 0 && end === bytes.length) buffer.set(bytes, at);
    else buffer.set(bytes.subarray(start, end), at);
    this.#dataAt = at - FRAME_HEADER_BYTES;
    this.#dataStreamId = streamId;
  }

  /**
   * Marks the last DATA frame of a stream as its end, if nothing was written since.
   *
   * @returns Whether that was done.
   */
  endLastData(streamId: number): boolean {
    if (this.#dataAt < 0 || this.#dataStreamId !== streamId) return false;
    (this.#buffer as Uint8Array)[this.#dataAt + 4] |= FLAG_END_STREAM;
    return true;
  }

  /** HEADERS with a header block of `length` bytes, and CONTINUATION where one frame does not hold it. */
  headers(streamId: number, block: Uint8Array, length: number, endStream: boolean): void {
    let type = HEADERS;
    let flags = endStream ? FLAG_END_STREAM : 0;
    let start = 0;
    do {
      const end = Math.min(length, start + MAX_FRAME_BYTES);
      if (end === length) flags |= FLAG_END_HEADERS;
      const at = this.#frame(type, flags, streamId, end - start);
      (this.#buffer as Uint8Array).set(block.subarray(start, end), at);
      type = CONTINUATION;
      flags = 0;
      start = end;
    } while (start < length);
  }

  /** SETTINGS with pairs of a setting and its value. */
  settings(pairs: readonly (readonly [number, number])[]): void {
    let at = this.#frame(SETTINGS, 0, 0, 6 * pairs.length);
    for (const [setting, value] of pairs) {
      this.#put16(at, setting);
      this.#put32(at + 2, value);
      at += 6;
    }
  }

  settingsAck(): void {
    this.#frame(SETTINGS, FLAG_ACK, 0, 0);
  }

  /** PING, or the reply to one, with the 8 bytes from `start` on. */
  ping(bytes: Uint8Array, start: number, ack: boolean): void {
    const at = this.#frame(PING, ack ? FLAG_ACK : 0, 0, 8);
    (this.#buffer as Uint8Array).set(bytes.subarray(start, start + 8), at);
  }

  resetStream(streamId: number, code: number): void {
    this.#put32(this.#frame(RST_STREAM, 0, streamId, 4), code);
  }

  windowUpdate(streamId: number, bytes: number): void {
    this.#put32(this.#frame(WINDOW_UPDATE, 0, streamId, 4), bytes);
  }

  goAway(lastStreamId: number, code: number, debug = ""): void {
    const text = debug === "" ? NOTHING : encoder.encode(debug);
    const at = this.#frame(GOAWAY, 0, 0, 8 + text.length);
    this.#put32(at, lastStreamId);
    this.#put32(at + 4, code);
    (this.#buffer as Uint8Array).set(text, at + 8);
  }

  /** Writes the header of a frame. Returns the index of its payload. */
  #frame(type: number, flags: number, streamId: number, length: number): number {
    const at = this.#room(FRAME_HEADER_BYTES + length);
    const buffer = this.#buffer as Uint8Array;
    buffer[at] = length >>> 16;
    buffer[at + 1] = length >>> 8;
    buffer[at + 2] = length;
    buffer[at + 3] = type;
    buffer[at + 4] = flags;
    this.#put32(at + 5, streamId);
    this.#dataAt = -1;
    return at + FRAME_HEADER_BYTES;
  }

  #room(bytes: number): number {
    if (this.#length + bytes > BUFFER_BYTES) this.flush();
    this.#buffer ??= pool.pop() ?? new Uint8Array(BUFFER_BYTES);
    const at = this.#length;
    this.#length += bytes;
    return at;
  }

  #put16(at: number, value: number): void {
    const buffer = this.#buffer as Uint8Array;
    buffer[at] = value >>> 8;
    buffer[at + 1] = value;
  }

  #put32(at: number, value: number): void {
    const buffer = this.#buffer as Uint8Array;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  }
}

/** Holds three full frames and more. */
const BUFFER_BYTES = 64 * 1024;
const MAX_KEPT = 16;
const pool: Uint8Array<ArrayBuffer>[] = [];
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
