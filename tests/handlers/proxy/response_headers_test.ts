// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { type ResponseHeaderOptions, ResponseHeaders } from "../../../lib/handlers/proxy/response_headers.ts";
import { HeadParser } from "../../../lib/http1/head_parser.ts";
import { responseHead } from "../../../lib/http1/response_head.ts";

const PLAIN: ResponseHeaderOptions = { viaName: "bws", untrustedName: "" };

function build(lines: string[], options: Partial<ResponseHeaderOptions> = {}): string[] {
  const bytes = new TextEncoder().encode("HTTP/1.1 200 OK\r\n" + lines.map((line) => line + "\r\n").join("") + "\r\n");
  const parser = new HeadParser("response");
  parser.parse(bytes, 0, bytes.length);
  const flat = new ResponseHeaders({ ...PLAIN, ...options }).build(responseHead(parser.head));
  const out: string[] = [];
  for (let i = 0; i < flat.length; i += 2) out.push(`${flat[i]}: ${flat[i + 1]}`);
  return out;
}

Deno.test("ResponseHeaders.build() keeps order, number and case of the upstream's lines", () => {
  assertEquals(build(["Set-Cookie: a=1", "Server: x", "Set-Cookie: b=2", "Content-Length: 4", "Content-Length: 4"]), [
    ...["Set-Cookie: a=1", "Server: x", "Set-Cookie: b=2", "content-length: 4", "via: 1.1 bws"],
  ]);
});

Deno.test("ResponseHeaders.build() adds to Via the version of the upstream's response", () => {
  const headers = new ResponseHeaders(PLAIN);
  const head = { status: 200, reason: undefined, headers: [], lowerNames: [], contentLength: -1, chunked: false };
  const parts = { ...head, connection: undefined, keepAliveMs: 0 };
  assertEquals(headers.build({ ...parts, minorVersion: 0 }), ["via", "1.0 bws"]);
  assertEquals(headers.build({ ...parts, minorVersion: 0, majorVersion: 2 }), ["via", "2.0 bws"]);
});

Deno.test("ResponseHeaders.build() ends hop-by-hop fields and what Connection names", () => {
  const lines = ["Connection: close, x-hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Upgrade: h2c", "Trailer: a", "A: b"];
  assertEquals(build([...lines, "Via: 1.0 back"]), ["A: b", "via: 1.0 back, 1.1 bws"]);
});

Deno.test("ResponseHeaders.build() keeps the upstream's request id where that is trusted", () => {
  const theirs = ["A: 1", "X-Request-Id: theirs"];
  assertEquals(build(theirs), ["A: 1", "X-Request-Id: theirs", "via: 1.1 bws"]);
  assertEquals(build(theirs, { untrustedName: "x-request-id" }), ["A: 1", "via: 1.1 bws"]);
});
