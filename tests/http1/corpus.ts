/**
 * Heads and bodies that the codec is fed with: those of other tests, and some that are made up at random.
 *
 * @module
 */

import { choose } from "../contract/seeded_random.ts";
import { BAD_CHUNKS } from "./hostile_chunks.ts";
import { REFUSED, UNUSUAL } from "./hostile_requests.ts";
import { MALFORMED, ODD } from "./hostile_responses.ts";

/** Requests that other tests send. */
export const REQUESTS: readonly string[] = [...Object.values(REFUSED).map(([bytes]) => bytes), ...UNUSUAL];

/** Responses that other tests send. */
export const RESPONSES: readonly string[] = [...MALFORMED, ...ODD].map(([, bytes]) => bytes);

/** Chunked bodies that other tests send, and some that are right. */
export const CHUNKED_BODIES: readonly string[] = [
  ...Object.values(BAD_CHUNKS),
  ...RESPONSES.flatMap((response) => /chunked\r?\n\r?\n(.+)$/s.exec(response)?.[1] ?? []),
  "0\r\n\r\n",
  "3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\nGET / HTTP/1.1\r\n",
  "3\nabc\n2\r\nde\n0\nX: y\nZ: \t a \r\n\nrest",
  "5\r\n\r\n\r\n0\r\n0\r\nExpires: never\r\nX-Sum: \xe9\r\n\r\n",
  "1\r\na\r\n0\r\nno colon\r\n\r\n",
  "1\r\na\r\n0\r\nX : y\r\n\r\n",
];

const METHODS = ["GET", "POST", "HEAD", "M-SEARCH", "G(T", "get", ""];
const TARGETS = ["/", "/a?b=c", "*", "http://a.test/x", "a b", "/\xe4", ""];
const VERSIONS = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/11"];
const STATUSES = ["200 OK", "200", "404 ", "099 X", "999 Odd", "20 OK", "2000", "304 Not\tModified", " 200 OK", "5xx"];
const NAMES = [
  "Host",
  "Content-Length",
  "content-LENGTH",
  "Transfer-Encoding",
  "X",
  "Set-Cookie",
  "a_b",
  "X Y",
  "",
  "\xe9",
];
const VALUES = [
  "",
  "5",
  "5, 5",
  "5,6",
  "0",
  "+5",
  "chunked",
  "Chunked",
  "gzip, chunked",
  "a.test",
  " \t b \t",
  "caf\xe9",
  "a\0b",
];
const ENDS = ["\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n "];
const FRAGMENTS = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  " ",
  "\t",
  ":",
  "\0",
  "\x7f",
  "\xff",
  "0",
  ",",
  "HTTP/1.1",
  "chunked",
];

/** A head that is nearly right, and sometimes altogether so. */
export function randomHead(random: () => number, kind: "request" | "response" | "trailers"): string {
  const good = random() < 0.5;
  const pick = (choices: readonly string[]) => good ? choices[Math.floor(random() * 2)] : choose(random, choices);
  const end = () => good ? "\r\n" : choose(random, ENDS);
  let text = "";
  if (kind === "request") text = `${pick(METHODS)} ${pick(TARGETS)} ${pick(VERSIONS)}${end()}`;
  if (kind === "response") text = `${pick(VERSIONS)} ${pick(STATUSES)}${end()}`;
  for (let lines = Math.floor(random() * 5); lines > 0; lines--) {
    text += `${choose(random, good ? NAMES.slice(0, 7) : NAMES)}:${choose(random, ["", " "])}`;
    text += choose(random, good ? VALUES.slice(0, 12) : VALUES) + end();
  }
  return text + choose(random, ["\r\n", "\r\n", "\n", ""]) + choose(random, ["", "", "more"]);
}

/** `text` with a few places changed. */
export function mutated(random: () => number, text: string): string {
  let changed = text;
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
    const at = Math.floor(random() * (changed.length + 1));
    const cut = random() < 0.5 ? 0 : 1 + Math.floor(random() * 3);
    const byte = String.fromCharCode(Math.floor(random() * 256));
    changed = changed.slice(0, at) + choose(random, [...FRAGMENTS, byte, ""]) + changed.slice(at + cut);
  }
  return changed;
}
