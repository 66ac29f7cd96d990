/**
 * Heads of requests: those that must be refused, and those that are unusual and clear.
 *
 * @module
 */

import { get } from "../support/raw_client.ts";

/** Requests that are refused: what is sent, and the status that it gets. */
export const REFUSED: Readonly<Record<string, [bytes: string, status: number]>> = {
  "Content-Length with Transfer-Encoding": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  "Transfer-Encoding with Content-Length": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    400,
  ],
  "two Content-Lengths that differ": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    400,
  ],
  "two Content-Lengths that agree": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    400,
  ],
  "a list as Content-Length": ["POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5, 5\r\n\r\nhello", 400],
  "a signed Content-Length": ["POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: +5\r\n\r\nhello", 400],
  "a negative Content-Length": ["POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: -5\r\n\r\nhello", 400],
  "a hexadecimal Content-Length": ["POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 0x5\r\n\r\nhello", 400],
  "an empty Content-Length": ["POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length:\r\n\r\nhello", 400],
  "a Content-Length beyond counting": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 18446744073709551621\r\n\r\nhello",
    413,
  ],
  "a transfer coding besides chunked": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    501,
  ],
  "chunked that is not the last coding": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    501,
  ],
  "chunked with a vertical tab": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  "two Transfer-Encodings": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    400,
  ],
  "a Transfer-Encoding of HTTP/1.0": [
    "POST / HTTP/1.0\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  "a blank before the colon": ["GET / HTTP/1.1\r\nHost : site.test\r\n\r\n", 400],
  "a blank before the colon of a framing field": [
    "POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  "a folded line": ["GET / HTTP/1.1\r\nHost: site.test\r\nX-A: b\r\n c\r\n\r\n", 400],
  "a line that begins with a blank": ["GET / HTTP/1.1\r\n Host: site.test\r\n\r\n", 400],
  "a header line without a colon": ["GET / HTTP/1.1\r\nHost: site.test\r\nnothing\r\n\r\n", 400],
  "a header line without a name": ["GET / HTTP/1.1\r\nHost: site.test\r\n: value\r\n\r\n", 400],
  "bare line feeds": ["GET / HTTP/1.1\nHost: site.test\n\n", 400],
  "one bare line feed": ["GET / HTTP/1.1\r\nHost: site.test\nX-A: b\r\n\r\n", 400],
  "a bare carriage return": ["GET / HTTP/1.1\r\nHost: site.test\r\nX-A: b\rX-B: c\r\n\r\n", 400],
  "a NUL in a value": ["GET / HTTP/1.1\r\nHost: site.test\r\nX-A: b\0c\r\n\r\n", 400],
  "a NUL in the target": ["GET /\0 HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "a NUL in a name": ["GET / HTTP/1.1\r\nHost: site.test\r\nX\0A: b\r\n\r\n", 400],
  "a byte above ASCII in a name": ["GET / HTTP/1.1\r\nHost: site.test\r\nX-\xe4: b\r\n\r\n", 400],
  "a byte above ASCII in the target": ["GET /\xe4 HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "no Host": ["GET / HTTP/1.1\r\n\r\n", 400],
  "two Hosts": ["GET / HTTP/1.1\r\nHost: site.test\r\nHost: site.test\r\n\r\n", 400],
  "an empty Host": ["GET / HTTP/1.1\r\nHost:\r\n\r\n", 400],
  "a Host with a path": ["GET / HTTP/1.1\r\nHost: site.test/x\r\n\r\n", 400],
  "a Host with user information": ["GET / HTTP/1.1\r\nHost: a@site.test\r\n\r\n", 400],
  "an absolute target with user information": ["GET http://a@b/ HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "a target of another scheme": ["GET ftp://site.test/ HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "a target without a slash": ["GET x HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "a target with a fragment": ["GET /#x HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "a target with a backslash": ["GET /a\\..\\b HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "an asterisk with GET": ["GET * HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "CONNECT": ["CONNECT site.test:443 HTTP/1.1\r\nHost: site.test:443\r\n\r\n", 405],
  "no target": ["GET HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "two blanks in the first line": ["GET  / HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "a blank in the target": ["GET /a b HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "a tab in the first line": ["GET\t/ HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "a blank behind the version": ["GET / HTTP/1.1 \r\nHost: site.test\r\n\r\n", 400],
  "a method that is no token": ["G(T / HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "no version": ["GET /\r\nHost: site.test\r\n\r\n", 400],
  "HTTP/1.2": ["GET / HTTP/1.2\r\nHost: site.test\r\n\r\n", 505],
  "the preface of HTTP/2, but for its last byte": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r ", 505],
  "a version in lower case": ["GET / http/1.1\r\nHost: site.test\r\n\r\n", 400],
  "a TLS handshake": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
  "many empty lines": ["\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: site.test\r\n\r\n", 400],
  "another expectation": [get("/", "Expect: a miracle\r\n"), 417],
  "a target that is too long": [get("/" + "a".repeat(20_000)), 414],
  "a first line without an end": ["GET /" + "a".repeat(40_000), 414],
  "a head that is too large": [get("/", `X-A: ${"a".repeat(40_000)}\r\n`), 431],
  "a head without an end": ["GET / HTTP/1.1\r\nHost: site.test\r\n" + "X-A: b\r\n".repeat(6000), 431],
  "too many header lines": [get("/", "X: y\r\n".repeat(200)), 431],
};

/** Requests that are let pass. */
export const UNUSUAL: readonly string[] = [
  "\r\n" + get("/"),
  "GET http://site.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n",
  "GET http://site.test HTTP/1.1\r\nHost: site.test\r\n\r\n",
  "GET HTTP://site.test/ HTTP/1.1\r\nHost: site.test\r\n\r\n",
  get("/", "X-A:b\r\nX-B: \t c \t \r\nX-C:\r\n"),
  get("/", "X-A: b\xe4\r\n"),
  get("/?a=b?c=\\d", "Content-Length: 0\r\n"),
  get("/", `X-A: ${"a".repeat(30_000)}\r\n`),
  "PURGE / HTTP/1.1\r\nHost: site.test\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\n\r\nhello",
  "GET / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: site.test\r\n\r\n",
];
