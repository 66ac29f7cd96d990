/**
 * The chunked transfer coding, undone (RFC 9112, section 7.1). Chunk extensions are read past, and so are trailer fields unless
 * they are wanted. Sizes are taken strictly. A line of an upstream may end in a line feed alone, as nginx, HAProxy and Caddy
 * take it, but not behind an extension, where parsers have been set against each other.
 *
 * @module
 */

import type { HeaderLines } from "../http/message.ts";
import { HeadParser } from "./head_parser.ts";
import { MalformedMessage } from "./malformed_message.ts";
import { CR, LF } from "./octets.ts";

/** How a body is decoded. */
export interface ChunkedDecoderOptions {
  /**
   * Whether a line may end in a line feed alone. Never for requests of clients.
   *
   * @default {false}
   */
  readonly bareLineFeeds?: boolean;
  /**
   * Whether trailer fields are checked and kept. Otherwise they are read past.
   *
   * @default {false}
   */
  readonly keepTrailers?: boolean;
}

const enum State {
  Size,
  Extension,
  SizeLineFeed,
  Data,
  DataReturn,
  DataLineFeed,
  TrailerStart,
  Trailer,
  TrailerLineFeed,
  LastLineFeed,
  Done,
}

/** Undoes one chunked body, bytes by bytes. */
export class ChunkedDecoder {
  #state = State.Size;
  #size = 0;
  #digits = 0;
  /** Bytes of this chunk's extensions, or of the trailers: nothing of them is kept, so a flood of them ends here. */
  #overhead = 0;
  readonly #bareLineFeeds: boolean;
  /** The trailer section as it came; undefined where it is not kept. */
  #trailerBytes: number[] | undefined;
  #trailers: HeaderLines | undefined;

  /** Decodes one body. */
  constructor(options: ChunkedDecoderOptions = {}) {
    this.#bareLineFeeds = options.bareLineFeeds === true;
    this.#trailerBytes = options.keepTrailers === true ? [] : undefined;
  }

  /** Whether the last chunk and the trailer section have been read. */
  get done(): boolean {
    return this.#state === State.Done;
  }

  /** Trailer lines, once the body is {@linkcode done}; undefined before, and where they are not kept. */
  get trailers(): HeaderLines | undefined {
    return this.#trailers;
  }

  /** Where the last {@linkcode decode} stopped: the index behind the last byte that belongs to this body. */
  consumed = 0;

  /**
   * Decodes `bytes[start … end)` in place: the payload is moved together from `start` on.
   *
   * @returns Where the payload ends.
   * @throws {MalformedMessage} When it is badly chunked.
   */
  decode(bytes: Uint8Array, start: number, end: number): number {
    let out = start;
    let i = start;
    while (i < end && this.#state !== State.Done) {
      if (this.#state === State.Data) {
        const take = Math.min(this.#size, end - i);
        // A loop is quicker than a native call for tiny chunks.
        if (take < 32) { for (let at = 0; at < take; at++) bytes[out + at] = bytes[i + at]; }
        else if (out !== i) bytes.copyWithin(out, i, i + take);
        out += take;
        i += take;
        this.#size -= take;
        if (this.#size === 0) this.#state = State.DataReturn;
        continue;
      }
      const byte = bytes[i++];
      if (this.#trailerBytes !== undefined && this.#state >= State.TrailerStart) this.#trailerBytes.push(byte);
      this.#step(byte);
    }
    this.consumed = i;
    return out;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case State.Size:
        return this.#sizeByte(byte);
      case State.Extension:
        if (byte === CR) this.#state = State.SizeLineFeed;
        else if (byte === LF) throw new MalformedMessage("a chunk's first line does not end in CRLF");
        else this.#spend();
        return;
      case State.SizeLineFeed:
        this.#expect(byte, LF);
        return this.#endSize();
      case State.DataReturn:
        if (byte === LF && this.#bareLineFeeds) this.#state = State.Size;
        else {
          this.#expect(byte, CR);
          this.#state = State.DataLineFeed;
        }
        return;
      case State.DataLineFeed:
        this.#expect(byte, LF);
        this.#state = State.Size;
        return;
      case State.TrailerStart:
        if (byte === CR) this.#state = State.LastLineFeed;
        else if (byte === LF && this.#bareLineFeeds) this.#end();
        else if (byte === LF) throw new MalformedMessage("a trailer line does not end in CRLF");
        else {
          this.#spend();
          this.#state = State.Trailer;
        }
        return;
      case State.Trailer:
        if (byte === CR) this.#state = State.TrailerLineFeed;
        else if (byte === LF && this.#bareLineFeeds) this.#state = State.TrailerStart;
        else if (byte === LF) throw new MalformedMessage("a trailer line does not end in CRLF");
        else this.#spend();
        return;
      case State.TrailerLineFeed:
        this.#expect(byte, LF);
        this.#state = State.TrailerStart;
        return;
      case State.LastLineFeed:
        this.#expect(byte, LF);
        return this.#end();
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexValue(byte);
    if (digit >= 0) {
      // 13 digits are 2^52: more could not be counted exactly.
      if (++this.#digits > 13) throw new MalformedMessage("a chunk's size is too large");
      this.#size = this.#size * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw new MalformedMessage("a chunk has no size");
    if (byte === CR) this.#state = State.SizeLineFeed;
    else if (byte === LF && this.#bareLineFeeds) this.#endSize();
    else if (byte === SEMICOLON || byte === 0x20 || byte === 0x09) this.#state = State.Extension;
    else throw new MalformedMessage("a chunk's size is not hexadecimal");
  }

  #endSize(): void {
    this.#digits = 0;
    this.#overhead = 0;
    this.#state = this.#size === 0 ? State.TrailerStart : State.Data;
  }

  #end(): void {
    this.#state = State.Done;
    if (this.#trailerBytes === undefined) return;
    const parser = new HeadParser("trailers", { bareLineFeeds: this.#bareLineFeeds });
    parser.parse(Uint8Array.from(this.#trailerBytes), 0, this.#trailerBytes.length);
    this.#trailerBytes = undefined;
    this.#trailers = parser.head.lines();
  }

  #expect(byte: number, expected: number): void {
    if (byte !== expected) throw new MalformedMessage("a chunk does not end where its size says");
  }

  #spend(): void {
    if (++this.#overhead > OVERHEAD_LIMIT) throw new MalformedMessage("its chunk extensions or trailers are too large");
  }
}

const SEMICOLON = 0x3b;
const OVERHEAD_LIMIT = 64 * 1024;

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
