/**
 * Responses of upstreams: those that must not be passed on, and those that are odd and are understood.
 *
 * @module
 */

const big = "b".repeat(200_000);

/** What is not HTTP/1.1 in a way that could be read in two ways, or that means nothing. */
export const MALFORMED: readonly [what: string, answer: string][] = [
  ["garbage", "\x00\x01\x02garbage\r\n\r\n"],
  ["words", "Hello there, this is not HTTP at all\r\n\r\n"],
  ["HTTP/0.9", "<html></html>\r\n\r\n"],
  ["an empty line before its status line", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
  ["two digits of status", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"],
  ["four digits of status", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a signed status", "HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n"],
  ["status 000", "HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n"],
  ["status 099", "HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n"],
  ["101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
  ["both framings", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  [
    "both framings the other way round",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
  ],
  ["lengths that differ", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"],
  ["a list of lengths that differ", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!"],
  ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"],
  ["a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"],
  ["a hexadecimal length", "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello"],
  ["an empty length", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhello"],
  ["a length beyond all counting", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello"],
  ["a coding besides chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
  ["chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a coding called xchunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
  ["chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["NUL in its head", "HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n"],
  ["DEL in its head", "HTTP/1.1 200 OK\r\nX: a\x7fb\r\nContent-Length: 0\r\n\r\n"],
  ["a bare carriage return", "HTTP/1.1 200 OK\r\nX: a\rY: b\r\nContent-Length: 0\r\n\r\n"],
  ["a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"],
  ["a space before a colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello"],
  ["a line without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n"],
  ["a name that is empty", "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 0\r\n\r\n"],
  ["a head of 200 kB in one line", `HTTP/1.1 200 OK\r\nX: ${big}\r\nContent-Length: 0\r\n\r\n`],
  ["a head of 200 kB in many lines", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(33_000)}Content-Length: 0\r\n\r\n`],
  ["a status line without an end", "HTTP/1.1 200 " + big],
  ["interim answers without end", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000)],
  ["a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n"],
  ["a chunk size that is no number", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"],
  ["a negative chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"],
  ["a chunk size with 0x", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"],
  [
    "a chunk size beyond all counting",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello",
  ],
  ["a chunk longer than its size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n"],
  [
    "a chunk extension without end",
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;${big}\r\nhello\r\n0\r\n\r\n`,
  ],
];

/** What goes on, with the status that the client gets. Each of these passes nginx 1.22, HAProxy 2.6 and Caddy 2.6 too. */
export const ODD: readonly [what: string, answer: string, status: number][] = [
  ["a bare line feed", "HTTP/1.1 200 OK\r\nX: a\nContent-Length: 5\r\n\r\nhello", 200],
  ["bare line feeds throughout", "HTTP/1.1 200 OK\nX: a\nContent-Length: 5\n\nhello", 200],
  ["chunk lines that end in LF", "HTTP/1.1 200 OK\nX: a\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n", 200],
  ["HTTP/1.2 in its status line", "HTTP/1.2 200 OK\r\nX: a\r\nContent-Length: 5\r\n\r\nhello", 200],
  ["HTTP/2.0 in its status line", "HTTP/2.0 200 OK\r\nX: a\r\nContent-Length: 5\r\n\r\nhello", 200],
  ["status 600", "HTTP/1.1 600 Odd\r\nX: a\r\nContent-Length: 5\r\n\r\nhello", 502],
  ["status 999", "HTTP/1.1 999 Odd\r\nX: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 502],
];
