/**
 * The head of a response as it goes to the client, and with it the framing of its body (RFC 9112, sections 6 and 9).
 *
 * @module
 */

import type { HttpResponse } from "../../http/message.ts";
import { statusLine } from "../../http1/head_writer.ts";

/** How the end of a body is told. */
export type BodyFraming = "none" | "bytes" | "length" | "chunked" | "close";

/** A head that is ready to be sent. */
export interface OutgoingHead {
  /** The head with its empty line, one character a byte. */
  readonly text: string;
  /** How the body goes out. */
  readonly framing: BodyFraming;
  /** Exact size of the body, for framing `length`; else -1. */
  readonly length: number;
  /** Whether the connection ends with this response. */
  readonly closing: boolean;
}

/** What the response's head depends on besides the response. */
export interface ResponseContext {
  /** The request's method. */
  readonly method: string;
  /** The request's minor version. */
  readonly minorVersion: number;
  /** Whether the connection is to end. */
  readonly closing: boolean;
  /** Value of Date. */
  readonly date: string;
}

/**
 * The head of `response`.
 *
 * @throws {TypeError} When a header line holds a line break, which no part of BWS may let through.
 */
export function outgoingHead(response: HttpResponse, context: ResponseContext): OutgoingHead {
  const { status, headers, body } = response;
  let closing = context.closing || CLOSING.has(status);
  let text = statusLine(status);
  let lines = 2;
  let declared = -1;
  let dated = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    // Most names are told apart by their length alone.
    switch (name.length) {
      case 4:
        if (!dated) dated = name.toLowerCase() === "date";
        break;
      case 10:
        if (name.toLowerCase() !== "connection") break;
        if (headers[i + 1].toLowerCase() === "upgrade") break;
        if (headers[i + 1].toLowerCase().includes("close")) closing = true;
        continue;
      case 14:
        if (name.toLowerCase() !== "content-length") break;
        declared = Number(headers[i + 1]);
        continue;
      case 17:
        if (name.toLowerCase() === "transfer-encoding") continue;
        break;
    }
    text += name + ": " + headers[i + 1] + "\r\n";
    lines++;
  }
  if (!dated) {
    text += context.date;
    lines++;
  }
  let framing: BodyFraming;
  let length = -1;
  if (context.method === "HEAD" || status === 304) {
    framing = "none";
    length = declared >= 0
      ? declared
      : body instanceof Uint8Array && status !== 204 && status !== 304
      ? body.length
      : -1;
  } else if (status === 204) {
    framing = "none";
  } else if (status === 205 || body === null || body instanceof Uint8Array) {
    framing = body === null || status === 205 ? "none" : "bytes";
    length = framing === "none" ? 0 : (body as Uint8Array).length;
  } else if (declared >= 0) {
    framing = "length";
    length = declared;
  } else {
    framing = context.minorVersion === 1 ? "chunked" : "close";
    if (framing === "close") closing = true;
    else {
      text += "transfer-encoding: chunked\r\n";
      lines++;
    }
  }
  if (length >= 0) {
    text += "content-length: " + length + "\r\n";
    lines++;
  }
  if (closing) {
    text += "connection: close\r\n";
    lines++;
  } else if (context.minorVersion === 0) {
    text += "connection: keep-alive\r\n";
    lines++;
  }
  text += "\r\n";
  if (lineFeeds(text) !== lines) {
    throw new TypeError(`Cannot send a response of status ${status}: a header line holds a line break`);
  }
  return { text, framing, length, closing };
}

/** After these the rest of the request is not worth reading. */
const CLOSING: ReadonlySet<number> = new Set([408, 413]);

// The last defence against response splitting: everything that goes out was checked where it came in.
function lineFeeds(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
