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
import { SP } from "./octets.ts";

/** A response's head, with its framing already worked out. */
export interface ResponseHead {
  /** Status code, 100 to 999. */
  status: number;
  /** Reason phrase; undefined where it is the usual one of the status, or empty. Holds no control characters but tabs. */
  reason: string | undefined;
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
 * @throws {MalformedMessage} When it gives the end of its body in two ways, or in one that is not understood.
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
    reason: reasonOf(head),
    minorVersion: head.minorVersion,
    headers,
    lowerNames,
    contentLength: Math.max(declared, -1),
    chunked: declared === CHUNKED,
    connection,
    keepAliveMs,
  };
}

function reasonOf(head: Head): string | undefined {
  // "HTTP/1.1 200 " has 13 characters; where there are more spaces, the phrase is left out.
  if (head.bytes[head.start + 9] === SP) return undefined;
  const reason = head.text(13, head.firstLineLength);
  return reason === "" || reason === STATUS_TEXT[head.status] ? undefined : reason;
}

function parseKeepAlive(value: string): number {
  const found = /(?:^|[,\s])timeout\s*=\s*(\d{1,6})/i.exec(value);
  return found === null ? 0 : Number(found[1]) * 1000;
}
