/**
 * Status lines of responses (RFC 9112, section 4).
 *
 * @module
 */

// @ts-types="../../types/std/http-status.d.ts"
import { STATUS_TEXT } from "@std/http/status";

/** `HTTP/1.1 200 OK` with its CRLF; without a reason phrase where none is known. */
export function statusLine(status: number): string {
  return statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? ""}\r\n`;
}

const statusLines: string[] = [];
