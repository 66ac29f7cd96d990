/**
 * The Date line of responses (RFC 9110, section 6.6.1), formatted once a second.
 *
 * @module
 */

import { type KnownOctets, knownOctets } from "../../http1/word_view.ts";

let line = knownOctets("");
let writtenSecond = -1;

/** `date: …` with its CRLF. */
export function dateLine(): KnownOctets {
  const second = Math.floor(Date.now() / 1000);
  if (second !== writtenSecond) {
    writtenSecond = second;
    line = knownOctets(`date: ${new Date(second * 1000).toUTCString()}\r\n`);
  }
  return line;
}
