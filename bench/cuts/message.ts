/**
 * Messages of HTTP/1.1 for the fuzzing of cuts: bodies that can be told from wrong ones, framing, and a plain parser that looks
 * at all bytes of a message again each time.
 *
 * @module
 */

/** Largest body. */
export const LARGEST = 100_000;

/** Every body is a part of it, from the place that its seed says. */
const PATTERN = Uint8Array.from({ length: LARGEST + 256 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

/** A message that has arrived whole. */
export interface Message {
  head: string;
  body: Uint8Array;
  /** How many bytes it took. */
  bytes: number;
}

/** A random whole number from 0 up to `below`. */
export function below(below: number): number {
  return Math.floor(Math.random() * below);
}

/** Whether one of `every` draws is this one. */
export function oneOf(every: number): boolean {
  return Math.random() * every < 1;
}

/** The length of a body: mostly small, seldom large. */
export function bodyLength(): number {
  return Math.floor(Math.random() ** 12 * LARGEST);
}

/** A message whose body has a random seed and framing; `lines` begin with the start line, each with its CRLF. */
export function composeMessage(lines: string, length: number): Uint8Array<ArrayBuffer> {
  const seed = below(256);
  const body = PATTERN.subarray(seed, seed + length);
  const head = `${lines}X-Seed: ${seed}\r\nX-Length: ${length}\r\n`;
  if (oneOf(2)) return joined([encoder.encode(`${head}Content-Length: ${length}\r\n\r\n`), body]);
  const parts = [encoder.encode(`${head}Transfer-Encoding: chunked\r\n\r\n`)];
  for (let at = 0; at < length;) {
    const size = Math.min(length - at, 1 + below(length));
    parts.push(encoder.encode(`${size.toString(16)}\r\n`), body.subarray(at, at + size), encoder.encode("\r\n"));
    at += size;
  }
  return joined([...parts, encoder.encode("0\r\n\r\n")]);
}

/** Whether the body of a message is the one that its head announces. */
export function isRight({ head, body }: Message): boolean {
  const seed = Number(field(head, "x-seed"));
  if (body.length !== Number(field(head, "x-length"))) return false;
  return body.every((byte, i) => byte === PATTERN[seed + i]);
}

/** The value of a header field; undefined where it is missing. */
export function field(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *([^\r]*)`, "im").exec(head)?.[1];
}

/** The first message in `bytes`; undefined while it is not whole. */
export function parseMessage(bytes: Uint8Array): Message | undefined {
  const start = headEnd(bytes);
  if (start < 0) return undefined;
  const head = decoder.decode(bytes.subarray(0, start));
  if (!/^transfer-encoding:/im.test(head)) {
    const length = Number(field(head, "content-length") ?? 0);
    if (bytes.length < start + length) return undefined;
    return { head, body: bytes.subarray(start, start + length), bytes: start + length };
  }
  const parts: Uint8Array[] = [];
  for (let at = start;;) {
    const line = bytes.indexOf(10, at);
    if (line < 0) return undefined;
    const size = parseInt(decoder.decode(bytes.subarray(at, line)), 16);
    const end = line + 1 + size + 2;
    if (bytes.length < end) return undefined;
    if (size === 0) return { head, body: joined(parts), bytes: end };
    parts.push(bytes.subarray(line + 1, end - 2));
    at = end;
  }
}

/** Parts, one behind the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function headEnd(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 2] === 10 && bytes[at - 1] === 13) return at + 1;
  }
  return -1;
}
