/**
 * The head of a response as it is sent to the client, and with it the framing of its body (RFC 9112, sections 6 and 9).
 *
 * @module
 */

import type { HttpResponse } from "../../http/message.ts";
import { putField, putLine, putNumberField, putStatusLine } from "../../http1/head_bytes.ts";
import { CR, LF } from "../../http1/octets.ts";
import { statusLine } from "../../http1/status_line.ts";
import { knownOctets, putKnown } from "../../http1/word_view.ts";
import type { RespondedRequest } from "./request_client.ts";
import { dateLine } from "./response_date.ts";

/** How the end of a body is told. */
export type BodyFraming = "none" | "bytes" | "length" | "chunked" | "close";

/** Composes one head after the other. Owned by a listener: what it holds is valid until the next head. */
export class OutgoingHead {
  /** Holds the head with its empty line, from 0 to `end`: the memory of the sender, unless the head is too large. */
  bytes: Uint8Array<ArrayBuffer>;
  end = 0;
  /** How the body is sent. */
  framing: BodyFraming = "none";
  /** Exact size of the body, for framing `length`; else -1. */
  length = -1;
  /** Whether the connection ends with this response. */
  closing = false;
  readonly #memory: Uint8Array<ArrayBuffer>;

  /** @param memory Where heads are composed. Its content may be lost as soon as the head was sent. */
  constructor(memory: Uint8Array<ArrayBuffer>) {
    this.bytes = this.#memory = memory;
  }

  /**
   * Composes the head of `response`.
   *
   * @param closing Whether the connection is to end.
   * @throws {TypeError} When a header line holds a line break, which no part of BWS may let through.
   */
  compose(response: HttpResponse, { head: { method }, minorVersion }: RespondedRequest, closing: boolean): void {
    const { status, reason, headers, body, passed } = response;
    closing ||= status === 408 || status === 413;
    const bytes = this.bytes = this.#room(response);
    let at = reason === undefined ? putStatusLine(status, bytes) : putLine(`HTTP/1.1 ${status} ${reason}`, bytes, 0);
    let dated = false;
    if (passed !== undefined) {
      dated = passed.has("date");
      at = passed.put(bytes, at);
    }
    let declared = passed === undefined ? -1 : passed.contentLength;
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
      at = putField(name, headers[i + 1], bytes, at);
    }
    if (!dated) at = putKnown(dateLine(), bytes, at);
    let framing: BodyFraming;
    let length = -1;
    if (method === "HEAD" || status === 304) {
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
    } else if (minorVersion === 1) {
      framing = "chunked";
      at = putKnown(CHUNKED, bytes, at);
    } else {
      framing = "close";
      closing = true;
    }
    if (length >= 0) at = putNumberField(CONTENT_LENGTH, length, bytes, at);
    if (closing) at = putKnown(CLOSE, bytes, at);
    else if (minorVersion === 0) at = putKnown(KEEP_ALIVE, bytes, at);
    bytes[at] = CR;
    bytes[at + 1] = LF;
    this.end = at + 2;
    this.framing = framing;
    this.length = length;
    this.closing = closing;
  }

  /** Memory that is large enough. */
  #room({ headers, passed, reason = "" }: HttpResponse): Uint8Array<ArrayBuffer> {
    let most = LEAST_BYTES + reason.length + (passed === undefined ? 0 : passed.maxBytes);
    for (let i = 0; i < headers.length; i++) most += headers[i].length + 2;
    return most <= this.#memory.length ? this.#memory : new Uint8Array(most);
  }
}

/** As many bytes as the lines take that are not in the response, or more. */
const LEAST_BYTES = 256;
const CHUNKED = knownOctets("transfer-encoding: chunked\r\n");
const CONTENT_LENGTH = knownOctets("content-length: ");
const CLOSE = knownOctets("connection: close\r\n");
const KEEP_ALIVE = knownOctets("connection: keep-alive\r\n");

/** The head of a response of status 101. */
export function upgradeHead({ status, reason, headers }: HttpResponse): string {
  let text = reason === undefined ? statusLine(status) : `HTTP/1.1 ${status} ${reason}\r\n`;
  let lines = 2 + headers.length / 2;
  let named = false;
  let protocol = false;
  for (let i = 0; i < headers.length; i += 2) {
    const lower = headers[i].toLowerCase();
    if (lower === "connection") named = true;
    else if (lower === "upgrade") protocol = true;
    text += headers[i] + ": " + headers[i + 1] + "\r\n";
  }
  if (!named) text += "connection: upgrade\r\n";
  if (!protocol) text += "upgrade: websocket\r\n";
  lines += (named ? 0 : 1) + (protocol ? 0 : 1);
  text += "\r\n";
  checkLines(text, lines, status);
  return text;
}

/** The head of an interim response. */
export function interimHead(status: number, headers: readonly string[], reason?: string): string {
  let text = reason === undefined ? statusLine(status) : `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += headers[i] + ": " + headers[i + 1] + "\r\n";
  text += "\r\n";
  checkLines(text, 2 + headers.length / 2, status);
  return text;
}

// The last defence against response splitting: everything that is sent was checked where it came in.
function checkLines(text: string, lines: number, status: number): void {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  if (count !== lines) {
    throw new TypeError(`Cannot send a response of status ${status}: a header line holds a line break`);
  }
}
