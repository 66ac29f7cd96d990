// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { ResponseHeaders } from "../../../lib/handlers/proxy/response_headers.ts";
import type { HttpResponse } from "../../../lib/http/message.ts";
import { HeadParser } from "../../../lib/http1/head_parser.ts";
import type { PassedLines } from "../../../lib/http1/passed_lines.ts";
import { responseHead } from "../../../lib/http1/response_head.ts";
import { OutgoingHead } from "../../../lib/listener/own/outgoing_head.ts";
import type { RespondedRequest } from "../../../lib/listener/own/request_client.ts";

function requestOf(method: string, minorVersion = 1): RespondedRequest {
  const peer = { address: "127.0.0.1", port: 1 };
  const head = { method, path: "/", query: "", authority: "a", host: "a", scheme: "http" as const, headers: [], peer };
  return { head, minorVersion, persistent: true, expectsContinue: false, takesTrailers: false };
}

/** The lines of a head, without Date. */
function composed(response: HttpResponse, request: RespondedRequest, closing = false, memory = 4096): string[] {
  const head = new OutgoingHead(new Uint8Array(memory));
  head.compose(response, request, closing);
  const text = String.fromCharCode(...head.bytes.subarray(0, head.end));
  assertEquals(text.slice(-4), "\r\n\r\n");
  return text.slice(0, -4).split("\r\n").filter((line) => !line.startsWith("date: "));
}

const body = new Uint8Array(12345);
const GET = requestOf("GET");

Deno.test("OutgoingHead.compose() tells the end of the body and of the connection", () => {
  const response = { status: 200, headers: ["A", "b"], body };
  assertEquals(composed(response, GET), ["HTTP/1.1 200 OK", "A: b", "content-length: 12345"]);
  assertEquals(composed({ ...response, body: null }, GET, true), [
    ...["HTTP/1.1 200 OK", "A: b", "content-length: 0", "connection: close"],
  ]);
  assertEquals(composed({ ...response, reason: "Fine" }, requestOf("HEAD", 0)), [
    ...["HTTP/1.1 200 Fine", "A: b", "content-length: 12345", "connection: keep-alive"],
  ]);
  const source = { start() {}, pull() {}, cancel() {} };
  assertEquals(composed({ ...response, body: source }, GET).at(-1), "transfer-encoding: chunked");
  assertEquals(composed({ ...response, headers: ["content-length", "7"], body: source }, GET), [
    ...["HTTP/1.1 200 OK", "content-length: 7"],
  ]);
});

Deno.test("OutgoingHead.compose() refuses line breaks, and writes what is no byte as ?", () => {
  for (const bad of ["a\r\nb", "a\nb", "a\rb"]) {
    assertThrows(() => composed({ status: 200, headers: ["A", bad], body: null }, GET), TypeError, "line break");
    assertThrows(() => composed({ status: 200, headers: [bad, "a"], body: null }, GET), TypeError, "line break");
    assertThrows(() => composed({ status: 200, headers: [], body: null, reason: bad }, GET), TypeError, "line break");
  }
  assertEquals(composed({ status: 200, headers: ["A", "\xe9\t\u010a"], body: null }, GET)[1], "A: \xe9\t?");
});

Deno.test("OutgoingHead.compose() has room for a head that is larger than the memory", () => {
  const value = "v".repeat(5000);
  assertEquals(composed({ status: 200, headers: ["A", value, "B", value], body }, GET, false, 1024).slice(1, 3), [
    ...[`A: ${value}`, `B: ${value}`],
  ]);
});

// The fast way has the slow one as its oracle.
Deno.test("OutgoingHead.compose() sends the same lines, whether those of the upstream come as bytes or as text", () => {
  const heads = [
    "Server: x\r\nDate: Fri, 27 Nov 2026 10:00:00 GMT\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\n",
    "Connection: close, x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nVia: 1.0 back\r\nUpgrade: h2c\r\nA: b\r\nVia:2 c\r\n",
    "Set-Cookie: a=1\r\nX-Id: theirs\r\nset-cookie:  b=2 \r\nContent-Length: 5\r\nX-Latin: caf\xe9\r\nEmpty:\r\n",
    "Transfer-Encoding: chunked\r\nTrailer: a\r\nWarning: 1\r\n",
    "",
  ];
  for (const untrustedName of ["", "x-id"]) {
    const rules = new ResponseHeaders({ viaName: "bws", untrustedName });
    for (const lines of heads) {
      const bytes = Uint8Array.from(`HTTP/1.1 200 OK\r\n${lines}\r\n`, (char) => char.charCodeAt(0));
      const parser = new HeadParser("response");
      parser.parse(bytes, 0, bytes.length);
      const head = responseHead(parser.head);
      for (const request of [GET, requestOf("HEAD")]) {
        const passed = rules.pass(head) as PassedLines;
        const fast = composed({ status: 200, headers: passed.others, body: null, passed }, request);
        const slow = composed({ status: 200, headers: rules.build(head), body: null }, request);
        assertEquals(fast, slow);
      }
    }
  }
});
