// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { givenId, RequestIds } from "../../lib/http/request_id.ts";
import { milliseconds } from "../../lib/log/access_line.ts";
import { LineBatch } from "../../lib/log/line_batch.ts";
import { jsonString } from "../../lib/log/printable.ts";

function written(batch: LineBatch): string {
  return new TextDecoder().decode(batch.take());
}

Deno.test("LineBatch writes numbers, times and JSON strings as they are written as text", () => {
  const batch = new LineBatch();
  const times = [0, 0.0004, 0.0005, 0.001, 0.01, 0.1, 0.12, 0.123, 1, 9.9995, 10, 99.05, 1e3, 123456.789, 3e6, 2 ** 40];
  const integers = [0, 9, 10, 99, 100, 65_536, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER];
  const texts = [
    "",
    "a",
    'a"b',
    "\\",
    "\n",
    "\x7f",
    "caf\xe9",
    "\u2028",
    "\ud83d\ude00",
    "x".repeat(64),
    "x".repeat(65),
    "\0".repeat(70),
  ];
  for (let round = 0; round < 2; round++) {
    for (const time of times) {
      batch.milliseconds(time);
      assertEquals(written(batch), milliseconds(time));
    }
    for (const integer of integers) batch.integer(integer);
    assertEquals(written(batch), integers.join(""));
    for (const text of texts) batch.json(text);
    assertEquals(written(batch), texts.map(jsonString).join(""));
    for (const text of texts) batch.text(text);
    assertEquals(written(batch), texts.join(""));
  }
  batch.milliseconds(-0.01);
  assertEquals(written(batch), "0");
});

Deno.test("LineBatch grows, gives away what it holds, and forgets what is cut off", () => {
  const batch = new LineBatch();
  const ids = new RequestIds(new Uint8Array([1]));
  let wanted = "";
  for (let i = 0; i < 3000; i++) {
    batch.written(i % 2 === 0 ? ids.next() : givenId("given"));
    batch.ascii(",");
    wanted += i % 2 === 0 ? `01-${(i / 2).toString(36)},` : "given,";
  }
  const { length } = batch;
  batch.text("more");
  batch.cut(length);
  const first = batch.take();
  batch.put(new Uint8Array(10).fill(0x78));
  assertEquals([batch.length, new TextDecoder().decode(first)], [10, wanted]);
});
