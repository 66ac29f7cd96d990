/**
 * Frames of HTTP/2 (RFC 9113, section 4) as bytes, for scripted peers.
 *
 * @module
 */

import { HpackDecoder } from "../../lib/http2/hpack_decoder.ts";
import { HpackEncoder } from "../../lib/http2/hpack_encoder.ts";
import { CONTINUATION, FRAME_HEADER_BYTES, HEADERS, number31, number32, PREFACE } from "../../lib/http2/frame.ts";

/** A frame. */
export interface Frame {
  type: number;
  flags: number;
  streamId: number;
  payload: Uint8Array<ArrayBuffer>;
}

/** The bytes of a frame. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | readonly number[] = [],
  length = payload.length,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  bytes.set([length >>> 16, length >>> 8, length, type, flags, ...number(streamId)]);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** The 4 bytes of a number. */
export function number(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** The payload of SETTINGS. */
export function settings(...pairs: [number, number][]): number[] {
  return pairs.flatMap(([setting, value]) => [setting >>> 8, setting & 0xff, ...number(value)]);
}

/** Several pieces in one. */
export function bytesOf(...pieces: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** What a client sends first. */
export const CLIENT_BEGIN: Uint8Array<ArrayBuffer> = bytesOf(PREFACE, frame(4, 0, 0));

/** The fields of a request. */
export const GET: readonly string[] = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "localhost"];
export const POST: readonly string[] = [":method", "POST", ":scheme", "http", ":path", "/", ":authority", "localhost"];

/** A header block that leaves the dynamic table alone, so that blocks can be put together in any order. */
export function block(fields: readonly string[]): Uint8Array<ArrayBuffer> {
  const pieces: number[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    pieces.push(0, ...text(fields[i]), ...text(fields[i + 1]));
  }
  return new Uint8Array(pieces);
}

function text(value: string): number[] {
  const { length } = value;
  const head = length < 127 ? [length] : [127, ...rest(length - 127)];
  return [...head, ...Array.from(value, (char) => char.charCodeAt(0))];
}

function rest(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...rest(Math.floor(value / 128))];
}

/** Takes frames apart, with the fields of header blocks. */
export class Frames {
  /** Frames that have arrived, oldest first. */
  readonly all: Frame[] = [];
  /** Fields of header blocks by the index of the frame that ends each. */
  readonly fields = new Map<Frame, string[]>();
  readonly decoder = new HpackDecoder();
  readonly encoder = new HpackEncoder();
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #block: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** Takes bytes. Returns the frames that are complete with them. */
  take(bytes: Uint8Array): Frame[] {
    this.#bytes = bytesOf(this.#bytes, bytes);
    const found: Frame[] = [];
    let at = 0;
    while (this.#bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = number31(new Uint8Array([0, ...this.#bytes.subarray(at, at + 3)]), 0);
      if (this.#bytes.length - at < FRAME_HEADER_BYTES + length) break;
      const payload = this.#bytes.slice(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length);
      const made = {
        type: this.#bytes[at + 3],
        flags: this.#bytes[at + 4],
        streamId: number31(this.#bytes, at + 5),
        payload,
      };
      at += FRAME_HEADER_BYTES + length;
      found.push(made);
      this.#fieldsOf(made);
    }
    this.#bytes = this.#bytes.slice(at);
    this.all.push(...found);
    return found;
  }

  #fieldsOf(made: Frame): void {
    if (made.type !== HEADERS && made.type !== CONTINUATION) return;
    this.#block = bytesOf(this.#block, made.payload);
    if ((made.flags & 4) === 0) return;
    const fields: string[] = [];
    this.decoder.decode(this.#block, 0, this.#block.length, { field: (name, value) => fields.push(name, value) });
    this.#block = new Uint8Array(0);
    this.fields.set(made, fields);
  }

  /** Code of the GOAWAY that has arrived, if it is one of an error. */
  get goAway(): number | undefined {
    const codes = this.all.filter(({ type }) => type === 7).map(({ payload }) => number32(payload, 4));
    return codes.find((code) => code !== 0);
  }

  /** Code of the RST_STREAM that has arrived on a stream. */
  resetOf(streamId: number): number | undefined {
    const found = this.all.find((made) => made.type === 3 && made.streamId === streamId);
    return found === undefined ? undefined : number32(found.payload, 0);
  }

  /** Data that has arrived on a stream. */
  dataOf(streamId: number): Uint8Array<ArrayBuffer> {
    return bytesOf(
      ...this.all.filter((made) => made.type === 0 && made.streamId === streamId).map(({ payload }) => payload),
    );
  }

  /** Whether a stream has ended. */
  ended(streamId: number): boolean {
    return this.all.some((made) => made.streamId === streamId && made.type <= 1 && (made.flags & 1) !== 0);
  }

  /** All fields that have arrived on a stream, one list for each block. */
  blocksOf(streamId: number): string[][] {
    return this.all.filter((made) => made.streamId === streamId && this.fields.has(made))
      .map((made) => this.fields.get(made) as string[]);
  }
}
