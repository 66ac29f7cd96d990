// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { HeadParser } from "../../lib/http1/head_parser.ts";
import { putText } from "../../lib/http1/head_bytes.ts";
import { HeadWriter } from "../../lib/http1/head_writer.ts";
import { statusLine } from "../../lib/http1/status_line.ts";
import { isToken } from "../../lib/http/header_lines.ts";
import { TCHAR } from "../../lib/http1/octets.ts";
import { seededRandom, testSeed } from "../contract/seeded_random.ts";
import { randomHead } from "./corpus.ts";
import { bytesOf, headOutcome } from "./outcome.ts";

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

Deno.test("HeadWriter rewrites a head line by line, as bytes, in one spelling", () => {
  const text = "HTTP/1.1 200 OK\nServer:x\r\nSet-Cookie: \t a=\xe9 \nX-Long: " + "y".repeat(3000) + "\r\nEmpty:\r\n\n";
  const parser = new HeadParser("response", { bareLineFeeds: true });
  const bytes = bytesOf(text);
  parser.parse(bytes, 0, bytes.length);
  const writer = new HeadWriter(new Uint8Array(16));
  for (let round = 0; round < 2; round++) {
    writer.clear();
    writer.text(statusLine(200));
    for (let line = 0; line < parser.head.lineCount; line++) {
      if (parser.head.name(line).lower === "server") writer.line("Server", "bws");
      else writer.copyLine(parser.head, line);
    }
    writer.endLine();
    writer.copy(bytesOf("body"));
    assertEquals(
      textOf(writer.written),
      `HTTP/1.1 200 OK\r\nServer: bws\r\nSet-Cookie: a=\xe9\r\nX-Long: ${"y".repeat(3000)}\r\nEmpty: \r\n\r\nbody`,
    );
    writer.trim();
  }
});

Deno.test("HeadWriter writes of any head what is read as the same head", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const writer = new HeadWriter();
  let heads = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = bytesOf(randomHead(random, "response"));
    const before = headOutcome(bytes, "response", true);
    if (before.state !== "head") continue;
    heads++;
    const parser = new HeadParser("response", { bareLineFeeds: true });
    parser.parse(bytes, 0, bytes.length);
    writer.clear();
    writer.copy(bytes, 0, parser.head.firstLineLength);
    writer.endLine();
    for (let line = 0; line < parser.head.lineCount; line++) writer.copyLine(parser.head, line);
    writer.endLine();
    const after = headOutcome(writer.written, "response", false);
    assertEquals(after, { ...before, length: writer.written.length }, `seed ${seed}, round ${round}`);
  }
  assertEquals(heads > 100, true, `only ${heads} heads were right`);
});

Deno.test("HeadWriter.line() lets nothing break out of its line", () => {
  const writer = new HeadWriter();
  writer.text("GET / HTTP/1.1\r\n");
  const long = "y".repeat(500);
  for (
    const [name, value] of [["X", `${long}\nY: b`], ["X", `\r${long}`], ["X", "a\r\nY: b"], ["X\n", "a"], ["X", "\n"], [
      "X",
      "a\r\n",
    ]]
  ) {
    assertThrows(() => writer.line(name, value), TypeError, "line break");
  }
  // U+010A cut down to a byte would be a line feed.
  writer.line("X", "a\u010ab");
  assertEquals(textOf(writer.written), "GET / HTTP/1.1\r\nX: a?b\r\n");
});

Deno.test("putText() writes a character as a byte, wherever it stands", () => {
  const target = new Uint8Array(8);
  assertEquals(putText("caf\xe9", target, 2), 6);
  assertEquals(textOf(target.subarray(0, 6)), "\0\0caf\xe9");
  assertEquals(putText("\xe9\xff\u0100\ud83d\ude00", target), 5);
  assertEquals(textOf(target.subarray(0, 5)), "\xe9\xff???");
  const long = new Uint8Array(400);
  for (const text of ["a".repeat(300), "a".repeat(299) + "\xe9", "\u0100".repeat(300)]) {
    assertEquals(putText(text, long, 7), 307);
    assertEquals(textOf(long.subarray(7, 307)), text.replaceAll("\u0100", "?"));
  }
});

Deno.test("statusLine() has a reason phrase where one is known", () => {
  assertEquals([statusLine(404), statusLine(799)], ["HTTP/1.1 404 Not Found\r\n", "HTTP/1.1 799 \r\n"]);
});

Deno.test("the codec and the rules of fields agree on what a token may hold", () => {
  for (let byte = 0; byte < 256; byte++) {
    assertEquals(TCHAR[byte] === 1, isToken(String.fromCharCode(byte)), `0x${byte.toString(16)}`);
  }
});
