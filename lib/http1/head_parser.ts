/**
 * The parser of heads, for requests, responses and trailer sections (RFC 9112, sections 2 to 5). It is fed with bytes at any
 * cut, looks at each of them once, and finds the same whatever the cuts. Strict where leniency has been used to smuggle
 * requests: no bare carriage returns, no folded lines, no control characters, no space before a colon, and a bare line feed
 * as the end of a line only where its user allows it.
 *
 * @module
 */

import { type FieldName, fieldNameAt, isNameAt } from "./field_name.ts";
import { Head } from "./head.ts";
import { MalformedMessage } from "./malformed_message.ts";
import { COLON, CR, DEL, hex, HTAB, latin1, LF, shown, SP, TCHAR } from "./octets.ts";
import { readRequestLine, readStatusLine } from "./start_line.ts";
import { isUnusual, wordView } from "./word_view.ts";

/** What begins with what is parsed. */
export type HeadKind =
  /** A request line. An empty line in its place is a head too: it has no first line. */
  | "request"
  /** A status line. */
  | "response"
  /** Nothing: the section has header lines alone. */
  | "trailers";

/** How strict a parser is. */
export interface HeadParserOptions {
  /**
   * Whether a line may end in a line feed alone (RFC 9112, section 2.2). Never for requests of clients.
   *
   * @default {false}
   */
  readonly bareLineFeeds?: boolean;
}

/** Parses one head after the other. Owned by the connection that it reads for. */
export class HeadParser {
  /** The head that was parsed, once {@linkcode parse} has given its end. */
  readonly head = new Head();
  readonly #kind: HeadKind;
  readonly #bareLineFeeds: boolean;
  /** Offset of the next byte to look at. */
  #at = 0;
  /** Offset of the line that is being read. */
  #lineStart = 0;
  #inFirstLine: boolean;
  /** Of the line that is being read, once its colon has been seen. */
  #name: FieldName | undefined;
  /** Offset behind that colon. */
  #valueStart = 0;

  /** Parses heads of one kind. */
  constructor(kind: HeadKind, options: HeadParserOptions = {}) {
    this.#kind = kind;
    this.#bareLineFeeds = options.bareLineFeeds === true;
    this.#inFirstLine = kind !== "trailers";
  }

  /** Whether a first line has been read whole. */
  get firstLineRead(): boolean {
    return !this.#inFirstLine;
  }

  /** Begins another head. What {@linkcode head} held is gone. */
  begin(): void {
    this.head.clear();
    this.#at = 0;
    this.#lineStart = 0;
    this.#name = undefined;
    this.#inFirstLine = this.#kind !== "trailers";
  }

  /**
   * Reads on in a head whose first byte is `bytes[start]`. A call after the first may have it elsewhere, with more bytes
   * behind what was there.
   *
   * @param end Where the bytes end that have arrived.
   * @returns The index behind the head's empty line, or -1 when that has not arrived.
   * @throws {MalformedMessage} When it is no head. The parser is then of no more use.
   */
  parse(bytes: Uint8Array, start: number, end: number): number {
    const head = this.head;
    head.bytes = bytes;
    head.start = start;
    if (this.#inFirstLine) {
      const lineEnd = this.#lineEnd(bytes, start + this.#at, end);
      if (lineEnd < 0) return this.#stop(start, ~lineEnd);
      const behind = lineEnd + (bytes[lineEnd] === CR ? 2 : 1);
      head.firstLineLength = lineEnd - start;
      if (this.#kind === "response") readStatusLine(head);
      else if (lineEnd === start) return this.#finish(start, behind);
      else readRequestLine(head);
      this.#inFirstLine = false;
      this.#lineStart = this.#at = behind - start;
    }
    for (;;) {
      if (this.#name === undefined) {
        if (this.#at === this.#lineStart) this.#readUsualLines(bytes, start, end);
        const found = this.#readName(bytes, start, end);
        if (found < 0) return -1;
        if (found > 0) return this.#finish(start, found);
      }
      const lineEnd = this.#lineEnd(bytes, start + this.#at, end);
      if (lineEnd < 0) return this.#stop(start, ~lineEnd);
      this.#addLine(bytes, start, lineEnd);
    }
  }

  /**
   * Reads whole lines that are as most are: the name that stood there in a head before, one space, and a value of usual octets.
   * It stops at the first one that is not, which is then read from its beginning.
   */
  #readUsualLines(bytes: Uint8Array, start: number, end: number): void {
    const { head } = this;
    const view = wordView(bytes);
    const lastWord = end - 4;
    let lineStart = start + this.#lineStart;
    for (;;) {
      const name = head.nameBefore;
      if (name === undefined || !isNameAt(name, bytes, lineStart, end)) break;
      const valueStart = lineStart + name.octets.length + 2;
      let at = valueStart;
      while (at <= lastWord && !isUnusual(view.getInt32(at, true))) at += 4;
      if (at > lastWord) break;
      while (bytes[at] >= SP && bytes[at] < DEL) at++;
      const ends = at < end - 1 && bytes[at] === CR && bytes[at + 1] === LF;
      if (!ends || bytes[valueStart - 1] !== SP || bytes[valueStart] <= SP || bytes[at - 1] === SP) break;
      head.addLine(name, lineStart - start, valueStart - start, at - start);
      lineStart = at + 2;
    }
    this.#lineStart = this.#at = lineStart - start;
  }

  /** Behind the head's end; 0 when a name was read; -1 when more bytes are needed. */
  #readName(bytes: Uint8Array, start: number, end: number): number {
    const lineStart = start + this.#lineStart;
    // Heads of one peer have the same names at the same places.
    const before = this.head.nameBefore;
    if (before !== undefined && isNameAt(before, bytes, lineStart, end)) {
      this.#name = before;
      this.#valueStart = this.#at = this.#lineStart + before.octets.length + 1;
      return 0;
    }
    let byte = 0;
    let i = start + this.#at;
    for (; i < end; i++) {
      byte = bytes[i];
      if (TCHAR[byte] === 0) break;
    }
    if (i === end) return this.#stop(start, i);
    if (byte === COLON && i > lineStart) {
      this.#name = fieldNameAt(bytes, lineStart, i);
      this.#valueStart = this.#at = i + 1 - start;
      return 0;
    }
    if (i > lineStart || (byte !== CR && byte !== LF)) throw wrongName(bytes, lineStart, i);
    const lineEnd = this.#lineEnd(bytes, i, end);
    if (lineEnd < 0) return this.#stop(start, i);
    return lineEnd + (byte === CR ? 2 : 1);
  }

  /**
   * Where the line that `at` is in ends: the index of its CR, or of its LF where that is bare. The complement of where to go
   * on when its end has not arrived.
   */
  #lineEnd(bytes: Uint8Array, at: number, end: number): number {
    const view = wordView(bytes);
    const lastWord = end - 4;
    let from = at;
    while (from <= lastWord && !isUnusual(view.getInt32(from, true))) from += 4;
    for (let i = from; i < end; i++) {
      const byte = bytes[i];
      if (byte >= SP) {
        if (byte < DEL) continue;
        if (byte === DEL) throw controlCharacter(byte);
        this.head.high = true;
      } else if (byte === CR) {
        if (i + 1 === end) return ~i;
        if (bytes[i + 1] !== LF) throw new MalformedMessage("its head holds a carriage return without a line feed");
        return i;
      } else if (byte === LF) {
        if (!this.#bareLineFeeds) throw new MalformedMessage("a line of its head does not end in CRLF");
        return i;
      } else if (byte !== HTAB) {
        throw controlCharacter(byte);
      }
    }
    return ~end;
  }

  #addLine(bytes: Uint8Array, start: number, lineEnd: number): void {
    let from = start + this.#valueStart;
    let to = lineEnd;
    while (from < to && (bytes[from] === SP || bytes[from] === HTAB)) from++;
    while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === HTAB)) to--;
    this.head.addLine(this.#name as FieldName, this.#lineStart, from - start, to - start);
    this.#name = undefined;
    this.#lineStart = this.#at = lineEnd + (bytes[lineEnd] === CR ? 2 : 1) - start;
  }

  #stop(start: number, at: number): number {
    this.#at = at - start;
    return -1;
  }

  #finish(start: number, behind: number): number {
    this.head.length = behind - start;
    return behind;
  }
}

function controlCharacter(byte: number): MalformedMessage {
  return new MalformedMessage(`its head holds a control character (${hex(byte)})`);
}

// Not more of the line than was looked at: the message is the same wherever the bytes are cut.
function wrongName(bytes: Uint8Array, lineStart: number, at: number): MalformedMessage {
  const byte = bytes[at];
  if (byte === CR || byte === LF) return new MalformedMessage("a header line has no colon");
  if (byte === COLON) return new MalformedMessage("a header line has no name");
  if (at === lineStart && (byte === SP || byte === HTAB)) return new MalformedMessage("a header line is folded");
  const begun = latin1(bytes, lineStart, Math.min(at, lineStart + 80));
  return new MalformedMessage(`a header name begins with "${shown(begun)}" and goes on with ${hex(byte)}`);
}
