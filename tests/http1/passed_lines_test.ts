// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Head } from "../../lib/http1/head.ts";
import { givenId } from "../../lib/http/request_id.ts";
import { writtenName } from "../../lib/http1/header_bytes.ts";
import { knownOctets } from "../../lib/http1/word_view.ts";
import { HeadParser } from "../../lib/http1/head_parser.ts";
import { PassedLines } from "../../lib/http1/passed_lines.ts";

function headOf(text: string): Head {
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  const parser = new HeadParser("response", { bareLineFeeds: true });
  parser.parse(bytes, 0, bytes.length);
  return parser.head;
}

function written(lines: PassedLines): string {
  const target = new Uint8Array(3 + lines.maxBytes);
  const end = lines.put(target, 3);
  return String.fromCharCode(...target.subarray(3, end));
}

/** The same, line by line from text. */
function slowly(head: Head, chosen: readonly number[]): string {
  return chosen.map((line) => `${head.name(line).name}: ${head.value(line)}\r\n`).join("");
}

const LINES = [
  ...["A: b", "Content-Type:text/plain", "Set-Cookie:   x=1", "X-Latin: caf\xe9\x80", "Empty:", "Empty: ", "T: u \t"],
  ...["D: Fri, 27 Nov 2026 10:00:00 GMT", "Long: " + "l".repeat(300), "a-b: c:d", "Q:\tz"],
];

Deno.test("PassedLines.put() writes any choice of lines as they would be written one by one from text", () => {
  for (const ends of [["\r\n"], ["\n"], ["\r\n", "\n"]]) {
    const text = LINES.map((line, n) => line + ends[n % ends.length]).join("");
    const head = headOf("HTTP/1.1 200 OK\r\n" + text + "\r\n");
    assertEquals(head.lineCount, LINES.length);
    for (let choice = 0; choice < 1 << LINES.length; choice++) {
      const chosen = LINES.map((_, n) => n).filter((n) => (choice >> n & 1) === 1);
      const passed = new PassedLines();
      passed.begin(head);
      for (const line of chosen) passed.add(line);
      if (written(passed) !== slowly(head, chosen)) assertEquals(written(passed), slowly(head, chosen));
    }
  }
});

Deno.test("PassedLines grows, knows its lines by name, and begins anew", () => {
  const many = Array.from({ length: 100 }, (_, n) => `Name-${n}: ${n}\r\n`);
  const head = headOf("HTTP/1.1 200 OK\r\n" + many.join("") + "\r\n");
  const passed = new PassedLines();
  for (const step of [1, 2]) {
    passed.begin(head);
    const chosen = many.map((_, n) => n).filter((n) => n % step === 0);
    for (const line of chosen) passed.add(line);
    assertEquals(written(passed), slowly(head, chosen));
    const own = { lowerName: "own", value: "1", ...knownOctets("Own: 1\r\n") };
    passed.setFixed(own);
    passed.setWritten(writtenName("Id"), givenId("7"));
    assertEquals(written(passed), slowly(head, chosen) + "Own: 1\r\nId: 7\r\n");
    assertEquals(["own", "id", "content-length", "x"].map((name) => passed.value(name)), [
      "1",
      "7",
      undefined,
      undefined,
    ]);
    passed.contentLength = 5;
    assertEquals(passed.value("content-length"), "5");
    assertEquals([passed.has("name-98"), passed.has("name-99"), passed.has("name")], [true, step === 1, false]);
  }
});
