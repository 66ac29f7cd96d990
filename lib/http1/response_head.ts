/**
 * The head of a response as text, with what its connection and its body need to know of it.
 *
 * @module
 */

// @ts-types="../../types/std/http-status.d.ts"
import { STATUS_TEXT } from "@std/http/status";
import type { HeaderLines } from "../http/message.ts";
import { CHUNKED, declaredLength } from "./framing.ts";
import type { Head } from "./head.ts";

/** A response's head, with its framing already worked out. */
export interface ResponseHead {
  /** Status code, 100 to 999. */
  readonly status: number;
  /** Reason phrase; undefined where it is the usual one of the status, or empty. Holds no control characters but tabs. */
  readonly reason: string | undefined;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** 2 where it came over HTTP/2; else it is one of HTTP/1. */
  readonly majorVersion?: 2;
  /** All lines in order, names as they came. */
  readonly headers: HeaderLines;
  /** The same names in lower case: `lowerNames[i]` belongs to `headers[2 * i]`. */
  readonly lowerNames: string[];
  /** Content-Length, or -1 where there is none. */
  readonly contentLength: number;
  /** Whether the body is chunked. */
  readonly chunked: boolean;
  /** Connection, its lines joined by commas; undefined where there is none. */
  readonly connection: string | undefined;
  /** `timeout` of Keep-Alive in milliseconds, or 0 where there is none. */
  readonly keepAliveMs: number;
  /** The same head as bytes; undefined where it did not come as bytes of HTTP/1.1. */
  readonly raw?: Head | undefined;
}

/** A head whose lines become text when they are first asked for. */
export class ParsedResponseHead implements ResponseHead {
  readonly status: number;
  readonly minorVersion: number;
  readonly contentLength: number;
  readonly chunked: boolean;
  connection: string | undefined;
  keepAliveMs = 0;
  raw: Head | undefined;
  readonly reason: string | undefined;
  #headers: HeaderLines | undefined;
  #lowerNames: string[] = [];

  constructor(raw: Head) {
    const declared = declaredLength(raw, "response");
    this.raw = raw;
    this.status = raw.status;
    const { reason } = raw;
    this.reason = reason === "" || reason === STATUS_TEXT[raw.status] ? undefined : reason;
    this.minorVersion = raw.minorVersion;
    this.contentLength = Math.max(declared, -1);
    this.chunked = declared === CHUNKED;
    for (let line = 0; line < raw.lineCount; line++) {
      const { codec } = raw.name(line);
      if (codec === "connection") {
        const value = raw.value(line);
        this.connection = this.connection === undefined ? value : this.connection + "," + value;
      } else if (codec === "keep-alive") this.keepAliveMs = parseKeepAlive(raw.value(line));
    }
  }

  get headers(): HeaderLines {
    return this.#headers ?? this.#read();
  }

  get lowerNames(): string[] {
    if (this.#headers === undefined) this.#read();
    return this.#lowerNames;
  }

  /** The bytes are about to change: lines that were not asked for yet are gone. */
  expire(): void {
    this.raw = undefined;
  }

  #read(): HeaderLines {
    const { raw } = this;
    if (raw === undefined) throw new Error("Cannot read the lines of a response's head: its bytes are gone");
    const headers: HeaderLines = this.#headers = [];
    for (let line = 0; line < raw.lineCount; line++) {
      const { name, lower } = raw.name(line);
      headers.push(name, raw.value(line));
      this.#lowerNames.push(lower);
    }
    return headers;
  }
}

/**
 * Reads the head of a response.
 *
 * @throws {MalformedMessage} When it gives the end of its body in two ways, or in one that is not understood.
 */
export function responseHead(head: Head): ParsedResponseHead {
  return new ParsedResponseHead(head);
}

function parseKeepAlive(value: string): number {
  if (value === lastKeepAlive) return lastKeepAliveMs;
  const found = /(?:^|[,\s])timeout\s*=\s*(\d{1,6})/i.exec(value);
  lastKeepAlive = value;
  return lastKeepAliveMs = found === null ? 0 : Number(found[1]) * 1000;
}

// An upstream usually sends the same with each response.
let lastKeepAlive = "";
let lastKeepAliveMs = 0;
