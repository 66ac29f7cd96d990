/**
 * The pieces of a buffered body.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { PieceList } from "../../lib/features/request_buffering/piece_list.ts";

Deno.test("PieceList.add() joins the pieces of a body that comes byte by byte", () => {
  const list = new PieceList();
  const bytes = Uint8Array.from({ length: 65_536 }, (_, i) => i % 251);
  for (let i = 0; i < bytes.length; i++) list.add(bytes.slice(i, i + 1));
  assert(list.count <= 512, `${list.count} pieces`);
  assertEquals(list.take(), bytes);
  assertEquals([list.count, list.take().length], [0, 0]);
});

Deno.test("PieceList.take() returns pieces of all sizes in their order", () => {
  const list = new PieceList();
  const sizes: number[] = Array.from({ length: 1200 }, (_, i) => i % 300 < 256 ? 4096 : 1);
  sizes.forEach((size, i) => list.add(new Uint8Array(size).fill(i % 256)));
  const expected = new Uint8Array(sizes.reduce((sum, size) => sum + size));
  sizes.reduce((at, size, i) => (expected.fill(i % 256, at, at + size), at + size), 0);
  assertEquals(list.take(), expected);
});
