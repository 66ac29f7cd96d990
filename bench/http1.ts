/**
 * What the codec of HTTP/1.1 costs: heads that are parsed as bytes alone, with all of their text, and in two halves; heads that
 * are written; chunked bodies that are decoded. Run with `deno run bench/http1.ts`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints a table

import { CHUNK_OVERHEAD_BYTES, LAST_CHUNK, putChunk } from "../lib/http1/chunked_encoder.ts";
import { ChunkedDecoder } from "../lib/http1/chunked_decoder.ts";
import { declaredLength } from "../lib/http1/framing.ts";
import { type HeadKind, HeadParser } from "../lib/http1/head_parser.ts";
import { HeadWriter } from "../lib/http1/head_writer.ts";
import { responseHead } from "../lib/http1/response_head.ts";

const SMALL_RESPONSE = head(
  "HTTP/1.1 200 OK",
  "content-type: text/plain; charset=utf-8",
  "content-length: 13",
  "date: Fri, 27 Nov 2026 15:54:41 GMT",
);
const LARGE_RESPONSE = head(
  "HTTP/1.1 200 OK",
  "Server: nginx/1.22.1",
  "Date: Fri, 27 Nov 2026 15:54:41 GMT",
  "Content-Type: application/json; charset=utf-8",
  "Content-Length: 5120",
  "Connection: keep-alive",
  "Keep-Alive: timeout=65",
  "Vary: Accept-Encoding, Origin",
  "Cache-Control: private, max-age=0, must-revalidate",
  'ETag: "5f2b3c4d5e6f7a8b"',
  "Set-Cookie: session=0123456789abcdef0123456789abcdef; Path=/; HttpOnly; Secure; SameSite=Lax",
  "Set-Cookie: theme=dark; Path=/; Max-Age=31536000",
  "X-Request-Id: 7f3e2d1c-0b9a-4857-8123-456789abcdef",
  "X-Frame-Options: DENY",
  "X-Content-Type-Options: nosniff",
  "Strict-Transport-Security: max-age=63072000; includeSubDomains; preload",
);
const SMALL_REQUEST = head("GET /small HTTP/1.1", "Host: 127.0.0.1:8080", "User-Agent: wrk", "Accept: */*");
const LARGE_REQUEST = head(
  "GET /assets/app.js?v=0123456789 HTTP/1.1",
  "Host: www.example.com",
  "Connection: keep-alive",
  'sec-ch-ua: "Chromium";v="142", "Not)A;Brand";v="24", "Google Chrome";v="142"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Linux"',
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Accept: */*",
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-Mode: no-cors",
  "Sec-Fetch-Dest: script",
  "Referer: https://www.example.com/some/page?with=a&query=string",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; _ga=GA1.1.1234567890.1234567890",
);
const HEADS: readonly (readonly [what: string, kind: HeadKind, bytes: Uint8Array])[] = [
  ["response", "response", SMALL_RESPONSE],
  ["response", "response", LARGE_RESPONSE],
  ["request", "request", SMALL_REQUEST],
  ["request", "request", LARGE_REQUEST],
];

let sink = 0;

function head(...lines: string[]): Uint8Array {
  return new TextEncoder().encode(lines.map((line) => line + "\r\n").join("") + "\r\n");
}

/** Nanoseconds a call, the best of many short rounds: others use the machine too. */
function measure(call: () => number, calls = 1000): number {
  let best = Infinity;
  for (let round = 0; round < 500; round++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) sink += call();
    // The first rounds warm up.
    if (round > 50) best = Math.min(best, (performance.now() - start) * 1e6 / calls);
  }
  return best;
}

function row(label: string, ns: number, bytes: number): void {
  console.log(`${label.padEnd(52)}${ns.toFixed(0).padStart(8)} ns${(ns / bytes).toFixed(2).padStart(8)} ns a byte`);
}

function parserOf(kind: HeadKind): HeadParser {
  return new HeadParser(kind, { bareLineFeeds: kind === "response" });
}

function benchParsing(what: string, kind: HeadKind, bytes: Uint8Array): void {
  const label = `${what} of ${bytes.length} bytes, `;
  const parser = parserOf(kind);
  const parse = () => {
    parser.begin();
    return parser.parse(bytes, 0, bytes.length);
  };
  row(label + "as bytes", measure(parse), bytes.length);
  const text = kind === "response"
    ? () => parse() + responseHead(parser.head).headers.length
    : () => parse() + parser.head.lines().length + declaredLength(parser.head, "request");
  row(label + "with its text", measure(text), bytes.length);
  const half = bytes.length >> 1;
  const halves = () => {
    parser.begin();
    parser.parse(bytes, 0, half);
    return parser.parse(bytes, 0, bytes.length);
  };
  row(label + "as bytes, in two halves", measure(halves), bytes.length);
}

function benchWriting(what: string, kind: HeadKind, bytes: Uint8Array): void {
  const label = `${what} of ${bytes.length} bytes, written `;
  const parser = parserOf(kind);
  parser.parse(bytes, 0, bytes.length);
  const parsed = parser.head;
  const writer = new HeadWriter();
  const copied = () => {
    writer.clear();
    writer.copy(bytes, 0, parsed.firstLineLength);
    writer.endLine();
    for (let line = 0; line < parsed.lineCount; line++) writer.copyLine(parsed, line);
    writer.endLine();
    return writer.written.length;
  };
  row(label + "line by line, as bytes", measure(copied), bytes.length);
  const lines = parsed.lines();
  const first = parsed.text(0, parsed.firstLineLength);
  const joined = () => {
    let text = first + "\r\n";
    for (let i = 0; i < lines.length; i += 2) text += lines[i] + ": " + lines[i + 1] + "\r\n";
    writer.clear();
    writer.text(text + "\r\n");
    return writer.written.length;
  };
  row(label + "from text", measure(joined), bytes.length);
}

function benchChunks(chunkBytes: number): void {
  const chunks = Math.ceil(65_536 / chunkBytes);
  const body = new Uint8Array(chunks * (chunkBytes + CHUNK_OVERHEAD_BYTES) + LAST_CHUNK.length);
  let end = 0;
  for (let i = 0; i < chunks; i++) end = putChunk(body, end, new Uint8Array(chunkBytes));
  body.set(LAST_CHUNK, end);
  end += LAST_CHUNK.length;
  const copy = new Uint8Array(end);
  const decode = () => {
    copy.set(body.subarray(0, end));
    return new ChunkedDecoder().decode(copy, 0, end);
  };
  row(`body of 64 KB in chunks of ${chunkBytes}, decoded`, measure(decode, 20), end);
}

for (const [what, kind, bytes] of HEADS) benchParsing(what, kind, bytes);
for (const [what, kind, bytes] of HEADS) benchWriting(what, kind, bytes);
for (const chunkBytes of [65_536, 4096, 64, 1]) benchChunks(chunkBytes);
console.log(`(${sink > 0 ? "done" : "nothing was done"})`);
