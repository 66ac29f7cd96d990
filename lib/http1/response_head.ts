/**
 * The head of an upstream's answer: found in the bytes, checked, and taken apart (RFC 9112, sections 4 and 5). Strict
 * where leniency has been used to smuggle: no bare carriage returns, no folded lines, no control characters, no space before a
 * colon, one framing. What nginx, HAProxy and Caddy all take is taken: a bare line feed as the end of a line (RFC 9112, section
 * 2.2), versions that are not known, statuses up to 999. All of it goes on in one spelling.
 *
 * @module
 */

import { isToken } from "../http/header_lines.ts";
import type { HeaderLines } from "../http/message.ts";
import { TransportFailure } from "../failure/failure.ts";

/** An answer's head, with its framing already worked out. */
export interface UpstreamHead {
  /** Status code, 100 to 999. */
  status: number;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  minorVersion: number;
  /** All lines in order, names as they came. */
  headers: HeaderLines;
  /** The same names in lower case: `lowerNames[i]` belongs to `headers[2 * i]`. */
  lowerNames: string[];
  /** Content-Length, or -1 where there is none. */
  contentLength: number;
  /** Whether the body is chunked. */
  chunked: boolean;
  /** Connection, its lines joined by commas; undefined where there is none. */
  connection: string | undefined;
  /** `timeout` of Keep-Alive in milliseconds, or 0 where there is none. */
  keepAliveMs: number;
}

/** Where a search for the end of a head stands, so that more bytes do not mean searching again. */
export interface HeadScan {
  /** Next byte to look at. */
  at: number;
  /** Where the current line begins. */
  lineStart: number;
  /** Whether a byte above 0x7F was seen. */
  high: boolean;
  /** Whether a line ended in a line feed alone; undefined where none may. Requests of clients may not. */
  bare?: boolean;
}

/**
 * Looks for the empty line that ends a head in `bytes[scan.at … end)`.
 *
 * @returns The index behind that line, or -1 when it has not arrived.
 * @throws {TransportFailure} `malformed` on a control character, or on a bare line feed where none may be.
 */
export function findHeadEnd(bytes: Uint8Array, end: number, scan: HeadScan): number {
  let lineStart = scan.lineStart;
  let high = scan.high;
  let i = scan.at;
  for (; i < end; i++) {
    const byte = bytes[i];
    if (byte >= 0x20) {
      if (byte < 0x7f) continue;
      if (byte === 0x7f) throw malformed("its head holds a control character (0x7f)");
      high = true;
    } else if (byte === 0x0d) {
      if (i + 1 >= end) break;
      if (bytes[i + 1] !== 0x0a) throw malformed("its head holds a carriage return without a line feed");
      if (i === lineStart) {
        scan.high = high;
        return i + 2;
      }
      i++;
      lineStart = i + 1;
    } else if (byte === 0x0a) {
      if (scan.bare === undefined) throw malformed("a line of its head does not end in CRLF");
      scan.bare = true;
      if (i === lineStart) {
        scan.high = high;
        return i + 1;
      }
      lineStart = i + 1;
    } else if (byte !== 0x09) {
      throw malformed(`its head holds a control character (0x${byte.toString(16).padStart(2, "0")})`);
    }
  }
  scan.at = i;
  scan.lineStart = lineStart;
  scan.high = high;
  return -1;
}

/**
 * Takes a whole head apart.
 *
 * @param start Where the status line begins.
 * @param end The index that {@linkcode findHeadEnd} gave.
 * @param scan What it saw on its way.
 * @throws {TransportFailure} `malformed`, with what is wrong.
 */
export function parseHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  { high, bare }: Pick<HeadScan, "high" | "bare">,
): UpstreamHead {
  let text = high ? latin1(bytes, start, end) : ascii.decode(bytes.subarray(start, end));
  if (bare) text = text.replace(/\r?\n/g, "\r\n");
  let lineEnd = text.indexOf("\r\n");
  const head: UpstreamHead = {
    status: parseStatusLine(text, lineEnd),
    // A version that is not known is taken for the one that is spoken (RFC 9110, section 2.5).
    minorVersion: text.startsWith("HTTP/1.0") || text.startsWith("HTTP/0") ? 0 : 1,
    headers: [],
    lowerNames: [],
    contentLength: -1,
    chunked: false,
    connection: undefined,
    keepAliveMs: 0,
  };
  let coded = false;
  let lineStart = lineEnd + 2;
  const last = text.length - 2;
  while (lineStart < last) {
    lineEnd = text.indexOf("\r\n", lineStart);
    const colon = text.indexOf(":", lineStart);
    if (colon < 0 || colon > lineEnd) throw malformed("a header line has no colon");
    const name = text.slice(lineStart, colon);
    const lower = lowerNames.get(name) ?? learnName(name);
    const value = trimmed(text, colon + 1, lineEnd);
    head.headers.push(name, value);
    head.lowerNames.push(lower);
    lineStart = lineEnd + 2;
    switch (lower) {
      case "content-length":
        head.contentLength = parseLength(value, head.contentLength);
        break;
      case "transfer-encoding":
        // Only the last coding frames the message, and BWS undoes no others (RFC 9112, section 6.1).
        if (coded || value.toLowerCase() !== "chunked") {
          throw malformed(`its Transfer-Encoding is "${shown(value)}", expected "chunked"`);
        }
        coded = true;
        break;
      case "connection":
        head.connection = head.connection === undefined ? value : head.connection + "," + value;
        break;
      case "keep-alive":
        head.keepAliveMs = parseKeepAlive(value);
        break;
    }
  }
  if (coded && head.contentLength >= 0) {
    throw malformed("it has both Content-Length and Transfer-Encoding");
  }
  if (coded && head.minorVersion === 0) throw malformed("it is HTTP/1.0 and has a Transfer-Encoding");
  head.chunked = coded;
  return head;
}

/** A failure of kind `malformed`. */
export function malformed(what: string): TransportFailure {
  return new TransportFailure("malformed", `The upstream's answer is not HTTP/1.1: ${what}`);
}

const ascii = new TextDecoder();

/** Bytes as text, one character a byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  // In pieces: a spread of a whole large head would overflow the stack.
  for (let i = start; i < end; i += 4096) text += String.fromCharCode(...bytes.subarray(i, Math.min(i + 4096, end)));
  return text;
}

// `HTTP/1.1 200 OK`, `HTTP/1.1 200 `, and `HTTP/1.1 200`, which some send.
function parseStatusLine(text: string, end: number): number {
  const version = text.slice(0, 8);
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0" || text[9] === " ") {
    const line = text.slice(0, end);
    const found = /^HTTP\/\d\.\d +([1-9]\d\d)(?: |$)/.exec(line);
    if (found === null) throw wrongFirstLine(line);
    return Number(found[1]);
  }
  const status = (text.charCodeAt(9) - 0x30) * 100 + (text.charCodeAt(10) - 0x30) * 10 + text.charCodeAt(11) - 0x30;
  const digits = isDigit(text.charCodeAt(9)) && isDigit(text.charCodeAt(10)) && isDigit(text.charCodeAt(11));
  if (text[8] !== " " || !digits || status < 100 || end < 12 || (end > 12 && text[12] !== " ")) {
    throw wrongFirstLine(text.slice(0, end));
  }
  return status;
}

function wrongFirstLine(line: string): TransportFailure {
  return malformed(`its first line is "${shown(line)}", expected "HTTP/1.1" and a status`);
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (!isDigit(text.charCodeAt(i))) return false;
  }
  return text.length > 0;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

// Names repeat from answer to answer: checked and put in lower case once. Upstreams choose them, so it is bounded.
const lowerNames = new Map<string, string>();

function learnName(name: string): string {
  if (!isToken(name)) throw malformed(`"${shown(name)}" is not a header name`);
  const lower = name.toLowerCase();
  if (name.length <= 64 && lowerNames.size < 2048) lowerNames.set(name, lower);
  return lower;
}

function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function parseLength(value: string, previous: number): number {
  if (previous < 0 && value.length < 16 && isDigits(value)) return Number(value);
  let length: number | undefined;
  // "5, 5" and repeated lines may say the same thing several times (RFC 9112, section 6.3).
  for (const part of value.split(",")) {
    const digits = part.trim();
    if (!/^\d{1,16}$/.test(digits)) throw malformed(`its Content-Length is "${shown(value)}"`);
    const number = Number(digits);
    if (number > Number.MAX_SAFE_INTEGER) throw malformed(`its Content-Length is "${shown(value)}"`);
    if (length !== undefined && length !== number) throw malformed("it has several Content-Lengths that differ");
    length = number;
  }
  if (previous >= 0 && previous !== length) throw malformed("it has several Content-Lengths that differ");
  return length as number;
}

function parseKeepAlive(value: string): number {
  const found = /(?:^|[,\s])timeout\s*=\s*(\d{1,6})/i.exec(value);
  return found === null ? 0 : Number(found[1]) * 1000;
}

function shown(text: string): string {
  return text.length > 80 ? text.slice(0, 80) + "…" : text;
}
