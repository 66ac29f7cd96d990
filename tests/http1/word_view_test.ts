// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { FrontViews } from "../../lib/http1/front_views.ts";
import { PartViews } from "../../lib/http1/part_views.ts";
import { copyOctets, knownOctets, putKnown } from "../../lib/http1/word_view.ts";

Deno.test("putKnown() writes known octets of any length at any place, and nothing beside them", () => {
  for (let length = 0; length < 40; length++) {
    const text = "abcdefghijklmnopqrstuvwxyz0123456789-_.~".slice(0, length);
    for (let at = 0; at < 9; at++) {
      const target = new Uint8Array(60).fill(0xee);
      assertEquals(putKnown(knownOctets(text), target, at), at + length);
      const expected = new Uint8Array(60).fill(0xee);
      expected.set(new TextEncoder().encode(text), at);
      assertEquals(target, expected);
    }
  }
});

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

Deno.test("PartViews.of() is the part of the memory that it is asked for, and one view where it is asked for again", () => {
  const views = new PartViews();
  const memories = [new Uint8Array(500), new Uint8Array(new ArrayBuffer(600), 100), new Uint8Array(700)];
  for (const [n, memory] of memories.entries()) for (let i = 0; i < memory.length; i++) memory[i] = n + 3 * i;
  for (let turn = 0; turn < 2; turn++) {
    for (const memory of memories) {
      for (const [start, end] of [[0, 0], [0, 9], [7, 80], [9, 82], [200, 500]]) {
        const part = views.of(memory, start, end);
        assertEquals([part, part.buffer === memory.buffer], [memory.subarray(start, end), true]);
        assertEquals(views.of(memory, start, end) === part, true);
      }
    }
  }
});
