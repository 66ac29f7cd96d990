/**
 * The first line of a head: request line and status line (RFC 9112, sections 3 and 4).
 *
 * @module
 */

import type { Head } from "./head.ts";
import { MalformedMessage } from "./malformed_message.ts";
import { shown, SP, TCHAR } from "./octets.ts";

/**
 * Reads `GET /path HTTP/1.1`. What the target holds is not judged here.
 *
 * @throws {MalformedMessage} When it is none, of kind `version` for a version of HTTP that is not spoken.
 */
export function readRequestLine(head: Head): void {
  const { bytes, start, firstLineLength } = head;
  let methodLength = 0;
  while (methodLength < firstLineLength && TCHAR[bytes[start + methodLength]] === 1) methodLength++;
  // The version has a fixed length, so that nothing needs searching from behind.
  const targetEnd = firstLineLength - VERSION_LENGTH - 1;
  if (
    methodLength === 0 || bytes[start + methodLength] !== SP ||
    targetEnd <= methodLength + 1 || bytes[start + targetEnd] !== SP
  ) {
    throw new MalformedMessage(`its first line is "${firstLine(head)}", expected a method, a target and a version`);
  }
  if (!isHttp1(bytes, start + targetEnd + 1)) {
    const version = head.text(targetEnd + 1, firstLineLength);
    const kind = /^HTTP\/\d\.\d$/.test(version) ? "version" : "syntax";
    throw new MalformedMessage(`its version is "${version}", expected "HTTP/1.1"`, kind);
  }
  head.methodLength = methodLength;
  head.targetEnd = targetEnd;
  head.minorVersion = bytes[start + firstLineLength - 1] - ZERO;
}

/**
 * Reads `HTTP/1.1 200 OK`, `HTTP/1.1 200 `, and `HTTP/1.1 200`, which some send. A version of HTTP that is not known is taken
 * for the one that is spoken (RFC 9110, section 2.5), several spaces for one, and statuses up to 999, as nginx, HAProxy and
 * Caddy take them.
 *
 * @throws {MalformedMessage} When it is none.
 */
export function readStatusLine(head: Head): void {
  const { bytes, start, firstLineLength } = head;
  const at = start + VERSION_LENGTH + 1;
  if (firstLineLength < 12 || !isHttp1(bytes, start) || bytes[at - 1] !== SP || bytes[at] === SP) {
    return readOddStatusLine(head);
  }
  const status = (bytes[at] - ZERO) * 100 + (bytes[at + 1] - ZERO) * 10 + bytes[at + 2] - ZERO;
  const digits = isDigit(bytes[at]) && isDigit(bytes[at + 1]) && isDigit(bytes[at + 2]);
  if (!digits || status < 100 || (firstLineLength > 12 && bytes[at + 3] !== SP)) throw wrongStatusLine(head);
  head.status = status;
  head.minorVersion = bytes[at - 2] - ZERO;
}

function readOddStatusLine(head: Head): void {
  const line = head.text(0, head.firstLineLength);
  const found = /^HTTP\/(\d\.\d) +([1-9]\d\d)(?: |$)/.exec(line);
  if (found === null) throw wrongStatusLine(head);
  head.status = Number(found[2]);
  head.minorVersion = found[1] === "1.0" || found[1][0] === "0" ? 0 : 1;
}

function wrongStatusLine(head: Head): MalformedMessage {
  return new MalformedMessage(`its first line is "${firstLine(head)}", expected "HTTP/1.1" and a status`);
}

function firstLine(head: Head): string {
  return shown(head.text(0, Math.min(head.firstLineLength, 100)));
}

/** Whether `HTTP/1.0` or `HTTP/1.1` begins at `at`. */
function isHttp1(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < HTTP_1.length; i++) {
    if (bytes[at + i] !== HTTP_1[i]) return false;
  }
  return (bytes[at + HTTP_1.length] | 1) === ONE;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

const HTTP_1 = new TextEncoder().encode("HTTP/1.");
const VERSION_LENGTH = 8;
const ZERO = 0x30;
const ONE = 0x31;
