/**
 * The head of a response as text, with what its connection and its body need to know of it.
 *
 * @module
 */

import type { HeaderLines } from "../http/message.ts";
import { CHUNKED, declaredLength } from "./framing.ts";
import type { Head } from "./head.ts";

/** A response's head, with its framing already worked out. */
export interface ResponseHead {
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

/**
 * Makes text of a response's head.
 *
 * @throws {MalformedMessage} When it tells the end of its body in two ways, or in one that is not understood.
 */
export function responseHead(head: Head): ResponseHead {
  head.decode();
  const declared = declaredLength(head, "response");
  const headers: HeaderLines = [];
  const lowerNames: string[] = [];
  let connection: string | undefined;
  let keepAliveMs = 0;
  for (let line = 0; line < head.lineCount; line++) {
    const { name, lower, codec } = head.name(line);
    const value = head.value(line);
    headers.push(name, value);
    lowerNames.push(lower);
    if (codec === "connection") connection = connection === undefined ? value : connection + "," + value;
    else if (codec === "keep-alive") keepAliveMs = parseKeepAlive(value);
  }
  return {
    status: head.status,
    minorVersion: head.minorVersion,
    headers,
    lowerNames,
    contentLength: Math.max(declared, -1),
    chunked: declared === CHUNKED,
    connection,
    keepAliveMs,
  };
}

function parseKeepAlive(value: string): number {
  const found = /(?:^|[,\s])timeout\s*=\s*(\d{1,6})/i.exec(value);
  return found === null ? 0 : Number(found[1]) * 1000;
}
