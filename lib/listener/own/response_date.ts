/**
 * The Date line of responses (RFC 9110, section 6.6.1), formatted once a second.
 *
 * @module
 */

import { bytesOf } from "../../http1/head_bytes.ts";

let line = bytesOf("");
let writtenSecond = -1;

/** `date: …` with its CRLF. */
export function dateLine(): Uint8Array<ArrayBuffer> {
  const second = Math.floor(Date.now() / 1000);
  if (second !== writtenSecond) {
    writtenSecond = second;
    line = bytesOf(`date: ${new Date(second * 1000).toUTCString()}\r\n`);
  }
  return line;
}
