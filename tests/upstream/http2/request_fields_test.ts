// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { HpackDecoder } from "../../../lib/http2/hpack_decoder.ts";
import { HpackEncoder } from "../../../lib/http2/hpack_encoder.ts";
import { addRequestFields } from "../../../lib/upstream/http2/request_fields.ts";
import { NotedFields } from "../../http2/noted_fields.ts";

function fieldsOf(head: string): NotedFields {
  const encoder = new HpackEncoder();
  encoder.begin();
  addRequestFields(head, "https", encoder);
  const noted = new NotedFields();
  new HpackDecoder().decode(encoder.bytes, 0, encoder.length, noted);
  return noted;
}

Deno.test("addRequestFields() puts pseudo-fields first, and names in lower case", () => {
  const head = "POST /a?b=%20 HTTP/1.1\r\nAccept: */*\r\nHost: a.test:8080\r\nX-Empty:\r\nContent-Length: 5\r\n\r\n";
  assertEquals(fieldsOf(head).fields, [
    [":method", "POST"],
    [":scheme", "https"],
    [":authority", "a.test:8080"],
    [":path", "/a?b=%20"],
    ["accept", "*/*"],
    ["x-empty", ""],
    ["content-length", "5"],
  ]);
});

Deno.test("addRequestFields() leaves out the fields of a connection of HTTP/1.1, and keeps TE: trailers (RFC 9113, 8.2.2)", () => {
  const head = "OPTIONS * HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\ntransfer-encoding: chunked\r\n" +
    "keep-alive: timeout=5\r\nproxy-connection: close\r\nupgrade: x\r\nte: gzip\r\n\r\n";
  assertEquals(fieldsOf(head).fields.slice(3), [[":path", "*"], ["te", "trailers"]]);
});

Deno.test("addRequestFields() marks all cookies as secrets, as clients share the connection", () => {
  const head = `GET / HTTP/1.1\r\nhost: a\r\ncookie: id=${"a".repeat(60)}\r\nauthorization: Bearer x\r\n\r\n`;
  assertEquals(fieldsOf(head).sensitive, ["cookie", "authorization"]);
});
