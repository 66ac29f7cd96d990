// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { headerValue, headerValues, isToken, listMembers, setHeader } from "../../lib/http/header_lines.ts";
import { connectionNamed } from "../../lib/http/hop_by_hop.ts";
import { givenId, RequestIds, usableRequestId } from "../../lib/http/request_id.ts";

Deno.test("header lines are read without case, in order and number", () => {
  const lines = ["Set-Cookie", "a=1", "X", "y", "set-cookie", "b=2"];
  assertEquals(headerValue(lines, "set-cookie"), "a=1");
  assertEquals(headerValues(lines, "set-cookie"), ["a=1", "b=2"]);
  assertEquals(headerValue(lines, "none"), undefined);
});

Deno.test("setHeader() leaves one line, where the first one stood", () => {
  const lines = ["A", "1", "b", "2", "a", "3"];
  setHeader(lines, "a", "9");
  assertEquals(lines, ["a", "9", "b", "2"]);
  setHeader(lines, "C", "4");
  assertEquals(lines, ["a", "9", "b", "2", "C", "4"]);
});

Deno.test("isToken() takes RFC 9110 tokens and nothing else", () => {
  for (const name of ["a", "X-Foo_1", "!#$%&'*+-.^_`|~"]) assertEquals(isToken(name), true, name);
  for (const name of ["", "a b", "a:", "é", "a\r", "(a)", "a/b"]) {
    assertEquals(isToken(name), false, JSON.stringify(name));
  }
});

Deno.test("connectionNamed() gives the fields that Connection names", () => {
  assertEquals(connectionNamed("keep-alive"), undefined);
  assertEquals(connectionNamed("Close"), undefined);
  assertEquals(connectionNamed("close, X-Foo ,keep-alive,, te"), ["x-foo", "te"]);
  assertEquals(listMembers(" a ,,B"), ["a", "b"]);
});

Deno.test("a request id is the same as text and as bytes, wherever it is written", () => {
  const ids = new RequestIds(new Uint8Array([1, 255]));
  const target = new Uint8Array(200);
  const wanted = Array.from({ length: 50_000 }, (_, count) => `01ff-${count.toString(36)}`);
  for (const [count, text] of [...wanted.entries(), [0, "given:1"], [0, ""]] as const) {
    const id = text.startsWith("01ff") ? ids.next() : givenId(text);
    const end = id.put(target, 7);
    const written = String.fromCharCode(...target.subarray(7, end));
    if (written !== text || id.text !== text || id.length < text.length) {
      assertEquals([written, id.text], [text, text], `${count}`);
    }
  }
});

Deno.test("RequestIds.next() never repeats, and foreign ids must be harmless", () => {
  const ids = new RequestIds();
  const made = new Set(Array.from({ length: 10_000 }, () => ids.next().text));
  assertEquals(made.size, 10_000);
  for (const id of made) assertEquals(usableRequestId(id), true);
  for (const id of ["", "a b", "a\nb", '"', "<script>", "a".repeat(129), "é"]) {
    assertEquals(usableRequestId(id), false, id);
  }
});
