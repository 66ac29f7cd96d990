// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { HeadParser } from "../../lib/http1/head_parser.ts";
import { knownValue } from "../../lib/http1/known_values.ts";
import { MalformedMessage } from "../../lib/http1/malformed_message.ts";
import { readTarget, RequestTarget } from "../../lib/http1/request_target.ts";

function look(text: string): string | undefined {
  const bytes = new TextEncoder().encode(`<${text}>`);
  return knownValue(bytes, 1, bytes.length - 1);
}

Deno.test("knownValue() knows a value from the second time on, and gives none but that", () => {
  assertEquals([look(""), look("one of its own")], ["", undefined]);
  assertEquals([look("one of its own"), look("one of its own")], ["one of its own", "one of its own"]);
  for (let n = 0; n < 20_000; n++) {
    const value = `${n % 7 === 0 ? "v".repeat(n % 70) : "path/"}${n % 997}`;
    const known = look(value);
    if (known !== undefined) assertEquals(known, value);
  }
});

Deno.test("knownValue() knows most of many paths that differ in a few digits", () => {
  const paths = Array.from({ length: 256 }, (_, n) => `/team${n % 100}/service${n * 7919 % 10_000}/users/42`);
  for (let turn = 0; turn < 5; turn++) paths.forEach(look);
  const known = paths.filter((path) => look(path) === path).length;
  assertEquals(known > 240, true, `${known} of 256 are known`);
});

Deno.test("knownValue() tells values apart that differ in one octet, at any length", () => {
  for (let length = 1; length <= 160; length++) {
    const value = "abcdefgh".repeat(20).slice(0, length);
    look(value);
    assertEquals(look(value), value);
    for (const at of new Set([0, length >> 1, length - 1])) {
      const near = value.slice(0, at) + "X" + value.slice(at + 1);
      look(near);
      assertEquals([look(near), look(value)], [near, value]);
    }
  }
});

Deno.test("readTarget() gives the same object for a target that is known, and parts of any", () => {
  const read = (target: string) => {
    const bytes = new TextEncoder().encode(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const parser = new HeadParser("request");
    parser.parse(bytes, 0, bytes.length);
    return readTarget(parser.head, "GET");
  };
  const [, second, third] = [read("/known?q"), read("/known?q"), read("/known?q")];
  assertEquals(second === third, true);
  assertEquals([third.path, third.query, third.authority, third.site], ["/known", "?q", undefined, 0]);
  for (let turn = 0; turn < 3; turn++) {
    assertEquals(read("http://host/path?q"), new RequestTarget("/path", "?q", "host"));
    assertThrows(() => read("/a\\b"), MalformedMessage);
    assertThrows(() => read("*"), MalformedMessage);
  }
});

Deno.test("knownValue() keeps no long values", () => {
  const long = "x".repeat(161);
  assertEquals([look(long), look(long), look(long)], [undefined, undefined, undefined]);
});

Deno.test("Head.value() gives the same for values that are known, new, secret, long, or not ASCII", () => {
  const values = ["text/plain", "caf\xe9", "", "z".repeat(100), "12", "secret"];
  const names = ["content-type", "x-name", "empty", "long", "content-length", "authorization"];
  const text = "GET /a?b HTTP/1.1\r\n" + names.map((name, n) => `${name}: ${values[n]}\r\n`).join("") + "\r\n";
  for (const cut of [text, text.replace("caf\xe9", "cafe")]) {
    for (let turn = 0; turn < 4; turn++) {
      const bytes = Uint8Array.from(cut, (char) => char.charCodeAt(0));
      const parser = new HeadParser("request");
      parser.parse(bytes, 0, bytes.length);
      const { head } = parser;
      const expected = values.map((value) => cut.includes("cafe") && value.startsWith("caf") ? "cafe" : value);
      assertEquals(names.map((_, line) => head.value(line)), expected);
      assertEquals([head.method, head.target, head.number(4), head.number(0), head.number(2)], [
        ...["GET", "/a?b", 12, -1, -1],
      ]);
    }
  }
});
