// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { givenId } from "../../lib/http/request_id.ts";
import { ComposedLines } from "../../lib/http1/composed_lines.ts";
import { writtenName } from "../../lib/http1/header_bytes.ts";
import type { HeaderBytes } from "../../lib/http1/header_bytes.ts";

const LINES = ["Content-Type", "text/plain", "X-Latin", "caf\xe9", "ETag", '"a"', "etag", '"b"'];

function written(lines: ComposedLines): string {
  return writtenBy(lines.take());
}

function writtenBy(lines: HeaderBytes): string {
  const target = new Uint8Array(3 + lines.maxBytes);
  return String.fromCharCode(...target.subarray(3, lines.put(target, 3)));
}

Deno.test("ComposedLines.take() gives the lines, which are written the lines in their order", () => {
  const lines = new ComposedLines(LINES);
  const expected = 'Content-Type: text/plain\r\nX-Latin: caf\xe9\r\nETag: "a"\r\netag: "b"\r\n';
  assertEquals([written(lines), written(lines)], [expected, expected]);
  assertEquals(written(new ComposedLines([])), "");
});

Deno.test("ComposedLines knows its lines by name, Content-Length too", () => {
  const lines = new ComposedLines(LINES, 5).take();
  assertEquals(lines.contentLength, 5);
  assertEquals([lines.has("etag"), lines.has("content-type"), lines.has("text/plain"), lines.has("date")], [
    ...[true, true, false, false],
  ]);
  assertEquals([lines.value("etag"), lines.value("content-length"), lines.value("date")], ['"a"', "5", undefined]);
});

Deno.test("ComposedLines.take() gives each response lines of its own", () => {
  const composed = new ComposedLines(["a", "1"]);
  const name = writtenName("X-Request-Id");
  const [first, second, bare] = [composed.take(), composed.take(), composed.take()];
  first.setWritten(name, givenId("one"));
  second.setWritten(name, givenId("another"));
  const ids = [first, second, bare].map((lines) => [writtenBy(lines), lines.value("x-request-id"), lines.value("a")]);
  assertEquals(ids, [
    ["a: 1\r\nX-Request-Id: one\r\n", "one", "1"],
    ["a: 1\r\nX-Request-Id: another\r\n", "another", "1"],
    ["a: 1\r\n", undefined, "1"],
  ]);
});

Deno.test("ComposedLines.take() throws at a line break", () => {
  for (const value of ["a\r\nb: c", "a\nb", "a\rb"]) {
    const lines = new ComposedLines(["name", value]);
    assertThrows(() => lines.take(), TypeError, "line break");
  }
});
