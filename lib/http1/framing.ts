/**
 * How the end of a message's body is found, and what that means for its connection (RFC 9112, sections 6 and 9.3).
 *
 * @module
 */

import type { Head } from "./head.ts";
import { MalformedMessage } from "./malformed_message.ts";
import { shown } from "./octets.ts";

/** How the end of a body is found: there is none, by its length, by its chunks, or by the end of the connection. */
export type BodyKind = "none" | "length" | "chunked" | "close";

/** What {@linkcode declaredLength} gives for a head with neither Content-Length nor Transfer-Encoding. */
export const UNDECLARED = -1;
/** What {@linkcode declaredLength} gives for a chunked body. */
export const CHUNKED = -2;

/**
 * What a head says of its body: its length, {@linkcode CHUNKED} or {@linkcode UNDECLARED}. A request must say it once, in
 * digits. A response may say the same several times, as "5, 5" or in several lines (RFC 9112, section 6.3).
 *
 * @throws {MalformedMessage} When it says two things, or what cannot be understood; of kind `coding` for a coding besides
 * `chunked`, of kind `length` for a length of a request that cannot be counted exactly.
 */
export function declaredLength(head: Head, kind: "request" | "response"): number {
  let length = UNDECLARED;
  let coding: string | undefined;
  for (let line = 0; line < head.lineCount; line++) {
    const field = head.name(line).codec;
    if (field === "content-length") {
      const number = head.number(line);
      if (number >= 0 && length === UNDECLARED) length = number;
      else if (kind === "response") length = repeatableLength(head.value(line), length);
      else if (length === UNDECLARED) length = singleLength(head.value(line));
      else throw new MalformedMessage("its Content-Length is repeated");
    } else if (field === "transfer-encoding") {
      if (coding !== undefined) throw new MalformedMessage("its Transfer-Encoding is repeated");
      coding = head.value(line);
    }
  }
  if (coding === undefined) return length;
  if (length !== UNDECLARED) throw new MalformedMessage("it has both Content-Length and Transfer-Encoding");
  if (head.minorVersion === 0) throw new MalformedMessage("it is HTTP/1.0 and has a Transfer-Encoding");
  // Only the last coding frames the message, and BWS undoes no others (RFC 9112, section 6.1).
  if (coding.toLowerCase() === "chunked") return CHUNKED;
  throw new MalformedMessage(`its Transfer-Encoding is "${shown(coding)}", expected "chunked"`, "coding");
}

/** How the end of a request's body is found. It never lasts until the end of the connection. */
export function requestBodyKind(declared: number): BodyKind {
  return declared === CHUNKED ? "chunked" : declared > 0 ? "length" : "none";
}

/**
 * How the end of a response's body is found.
 *
 * @param method The request's method: responses to HEAD have no body.
 */
export function responseBodyKind(declared: number, status: number, method: string): BodyKind {
  if (method === "HEAD" || status === 204 || status === 304) return "none";
  return declared === CHUNKED ? "chunked" : declared >= 0 ? "length" : "close";
}

/**
 * Whether the sender of a message lets its connection be used again.
 *
 * @param connection Connection, its lines joined by commas; undefined where there is none.
 */
export function persistent(minorVersion: number, connection: string | undefined): boolean {
  if (connection === undefined) return minorVersion === 1;
  if (connection === "keep-alive") return true;
  if (connection === "close") return false;
  let keptAlive = minorVersion === 1;
  for (const part of connection.toLowerCase().split(",")) {
    const option = part.trim();
    if (option === "close") return false;
    if (option === "keep-alive") keptAlive = true;
  }
  return keptAlive;
}

function singleLength(value: string): number {
  if (!isDigits(value)) throw new MalformedMessage(`its Content-Length is "${shown(value)}"`);
  if (value.length > EXACT_DIGITS) throw new MalformedMessage(`its body has ${shown(value)} bytes`, "length");
  return Number(value);
}

function repeatableLength(value: string, previous: number): number {
  let length = previous;
  for (const part of value.split(",")) {
    const digits = part.trim();
    if (!isDigits(digits) || digits.length > EXACT_DIGITS + 1 || Number(digits) > Number.MAX_SAFE_INTEGER) {
      throw new MalformedMessage(`its Content-Length is "${shown(value)}"`);
    }
    if (length !== UNDECLARED && length !== Number(digits)) {
      throw new MalformedMessage("it has several Content-Lengths that differ");
    }
    length = Number(digits);
  }
  return length;
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > 0;
}

/** More digits may be more than can be counted exactly. */
const EXACT_DIGITS = 15;
