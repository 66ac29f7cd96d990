// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { FrontViews } from "../../lib/http1/front_views.ts";
import { copyOctets } from "../../lib/http1/word_view.ts";

Deno.test("copyOctets() copies what TypedArray.set() copies, at any place and length, and nothing beside it", () => {
  const source = Uint8Array.from({ length: 700 }, (_, i) => 7 * i);
  for (const target of [new Uint8Array(800), new Uint8Array(new ArrayBuffer(1000), 100, 800)]) {
    for (let length = 0; length < 600; length += length < 140 ? 1 : 97) {
      const start = length % 5;
      const at = length % 7;
      target.fill(0xee);
      assertEquals(copyOctets(source, start, start + length, target, at), at + length);
      const expected = new Uint8Array(800).fill(0xee);
      expected.set(source.subarray(start, start + length), at);
      assertEquals(target, expected);
    }
  }
});

Deno.test("FrontViews.of() is the front of its memory at each length, and one view for a short one", () => {
  const memory = Uint8Array.from({ length: 4000 }, (_, i) => i);
  const views = new FrontViews(memory);
  for (const length of [0, 1, 300, 1024, 1025, 4000]) {
    assertEquals(views.of(length), memory.subarray(0, length));
    assertEquals(views.of(length).buffer === memory.buffer, true);
  }
  assertEquals(views.of(300) === views.of(300), true);
});
