// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { HeadParser } from "../../lib/http1/head_parser.ts";
import { MalformedMessage } from "../../lib/http1/malformed_message.ts";
import { type ResponseHead, responseHead } from "../../lib/http1/response_head.ts";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function parse(text: string): ResponseHead {
  const bytes = bytesOf(text);
  const parser = new HeadParser("response", { bareLineFeeds: true });
  if (parser.parse(bytes, 0, bytes.length) < 0) throw new Error("The head is not whole");
  return responseHead(parser.head);
}

Deno.test("responseHead() keeps lines in order and number, with their case and bytes", () => {
  const head = parse(
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Latin:  caf\xe9\x80 \r\nset-cookie:b=2\r\nEmpty:\r\n\r\nbody",
  );
  assertEquals(head.status, 200);
  assertEquals(head.minorVersion, 1);
  assertEquals(head.headers, ["Set-Cookie", "a=1", "X-Latin", "caf\xe9\x80", "set-cookie", "b=2", "Empty", ""]);
  assertEquals(head.lowerNames, ["set-cookie", "x-latin", "set-cookie", "empty"]);
  assertEquals(head.contentLength, -1);
});

Deno.test("responseHead() reads framing and persistence", () => {
  const head = parse(
    "HTTP/1.1 404\r\nContent-Length: 5, 5\r\ncontent-length: 5\r\nConnection: close\r\nConnection: x\r\n\r\n",
  );
  assertEquals([head.status, head.contentLength, head.connection], [404, 5, "close,x"]);
  assertEquals(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n").chunked, true);
  assertEquals(parse("HTTP/1.0 200 OK\r\nKeep-Alive: timeout=7, max=3\r\n\r\n").keepAliveMs, 7000);
});

Deno.test("HeadParser.parse() finds the end wherever the bytes are cut", () => {
  const text = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
  const bytes = bytesOf(text + "xyz");
  for (let first = 0; first <= bytes.length; first++) {
    const parser = new HeadParser("response");
    const early = parser.parse(bytes, 0, first);
    assertEquals(early, first >= text.length ? text.length : -1);
    if (early < 0) assertEquals(parser.parse(bytes, 0, bytes.length), text.length);
  }
});

Deno.test("HeadParser.parse() and responseHead() refuse what is not HTTP/1.1", () => {
  const line = "HTTP/1.1 200 OK\r\n";
  const hostile = [
    ...[
      "\r\n\r\n",
      "HTTP/2 200 OK\r\n\r\n",
      "http/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
    ],
    ...[
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 099 X\r\n\r\n",
      "HTTP/1.1 abc\r\n\r\n",
      "ICY 200 OK\r\n\r\n",
    ],
    ...[line + "no colon\r\n\r\n", line + ": empty\r\n\r\n", line + "a b: c\r\n\r\n", line + "a : c\r\n\r\n"],
    ...[
      line + "A: b\r\n folded\r\n\r\n",
      line + "A: \0\r\n\r\n",
      line + "A: b\rc\r\n\r\n",
    ],
    ...[line + "A: \x7f\r\n\r\n", line + "\xe9: b\r\n\r\n", line + "A\n\r\n"],
    ...[
      line + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      line + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    ],
    ...[
      line + "Content-Length: -5\r\n\r\n",
      line + "Content-Length: 5, 6\r\n\r\n",
      line + "Content-Length: 0x5\r\n\r\n",
    ],
    ...[
      line + "Content-Length: \r\n\r\n",
      line + "Content-Length: 99999999999999999999\r\n\r\n",
      line + "Content-Length: 5;\r\n\r\n",
    ],
    ...[
      line + "Transfer-Encoding: gzip, chunked\r\n\r\n",
      line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ...[line + "Transfer-Encoding: identity\r\n\r\n", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ];
  for (const text of hostile) assertThrows(() => parse(text), MalformedMessage, undefined, JSON.stringify(text));
});

Deno.test("responseHead() takes what nginx, HAProxy and Caddy all take, and makes one spelling of it", () => {
  for (
    const text of [
      "HTTP/1.1 200 OK\nA: b\nContent-Length: 2\n\n",
      "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\r\n",
      "HTTP/1.1 200 OK\nA: b\r\nContent-Length: 2\r\n\n",
      "HTTP/1.2 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\n",
      "HTTP/1.9 200\r\nA: b\r\nContent-Length: 2\r\n\r\n",
      "HTTP/2.0 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\n",
      "HTTP/1.1  200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\n",
    ]
  ) {
    const head = parse(text);
    assertEquals([head.status, head.minorVersion, head.contentLength], [200, 1, 2], JSON.stringify(text));
    assertEquals(head.headers, ["A", "b", "Content-Length", "2"]);
  }
  for (const status of [600, 799, 999]) assertEquals(parse(`HTTP/1.1 ${status} Odd\r\n\r\n`).status, status);
  assertEquals(parse("HTTP/0.9 200 OK\r\n\r\n").minorVersion, 0);
});

Deno.test("HeadParser.parse() takes no bare line feed where none may be, as in requests", () => {
  const bytes = bytesOf("GET / HTTP/1.1\r\nA: b\nB: c\r\n\r\n");
  assertThrows(() => new HeadParser("request").parse(bytes, 0, bytes.length), MalformedMessage, "CRLF");
});
