/**
 * The chunked transfer coding, undone (RFC 9112, section 7.1). Chunk extensions and trailer fields are read past. Sizes are
 * taken strictly. A line of an upstream may end in a line feed alone, as nginx, HAProxy and Caddy take it, but not behind an
 * extension, where parsers have been set against each other.
 *
 * @module
 */

import { malformed } from "./response_head.ts";

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

  /** @param bareLineFeeds Whether a line may end in a line feed alone. Never for requests of clients. */
  constructor(bareLineFeeds = false) {
    this.#bareLineFeeds = bareLineFeeds;
  }

  /** Whether the last chunk and the trailer section have been read. */
  get done(): boolean {
    return this.#state === State.Done;
  }

  /** Where the last {@linkcode decode} stopped: the index behind the last byte that belongs to this body. */
  consumed = 0;

  /**
   * Decodes `bytes[start … end)` in place: the payload is moved together from `start` on.
   *
   * @returns Where the payload ends.
   * @throws {TransportFailure} `malformed`.
   */
  decode(bytes: Uint8Array, start: number, end: number): number {
    let out = start;
    let i = start;
    while (i < end && this.#state !== State.Done) {
      if (this.#state === State.Data) {
        const take = Math.min(this.#size, end - i);
        if (out !== i) bytes.copyWithin(out, i, i + take);
        out += take;
        i += take;
        this.#size -= take;
        if (this.#size === 0) this.#state = State.DataReturn;
        continue;
      }
      this.#step(bytes[i++]);
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
        else if (byte === LF) throw malformed("a chunk's first line does not end in CRLF");
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
        else if (byte === LF && this.#bareLineFeeds) this.#state = State.Done;
        else {
          this.#spend();
          this.#state = State.Trailer;
        }
        return;
      case State.Trailer:
        if (byte === CR) this.#state = State.TrailerLineFeed;
        else if (byte === LF && this.#bareLineFeeds) this.#state = State.TrailerStart;
        else if (byte === LF) throw malformed("a trailer line does not end in CRLF");
        else this.#spend();
        return;
      case State.TrailerLineFeed:
        this.#expect(byte, LF);
        this.#state = State.TrailerStart;
        return;
      case State.LastLineFeed:
        this.#expect(byte, LF);
        this.#state = State.Done;
        return;
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexValue(byte);
    if (digit >= 0) {
      // 13 digits are 2^52: more could not be counted exactly.
      if (++this.#digits > 13) throw malformed("a chunk's size is too large");
      this.#size = this.#size * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw malformed("a chunk has no size");
    if (byte === CR) this.#state = State.SizeLineFeed;
    else if (byte === LF && this.#bareLineFeeds) this.#endSize();
    else if (byte === SEMICOLON || byte === 0x20 || byte === 0x09) this.#state = State.Extension;
    else throw malformed("a chunk's size is not hexadecimal");
  }

  #endSize(): void {
    this.#digits = 0;
    this.#overhead = 0;
    this.#state = this.#size === 0 ? State.TrailerStart : State.Data;
  }

  #expect(byte: number, expected: number): void {
    if (byte !== expected) throw malformed("a chunk does not end where its size says");
  }

  #spend(): void {
    if (++this.#overhead > OVERHEAD_LIMIT) throw malformed("its chunk extensions or trailers are too large");
  }
}

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const OVERHEAD_LIMIT = 64 * 1024;

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
