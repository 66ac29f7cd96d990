// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { LastView } from "../../../lib/handlers/websocket/last_view.ts";

Deno.test("LastView gives the same view for the same range, and a new one for any other", () => {
  const views = new LastView();
  const memory = new Uint8Array([1, 2, 3, 4]);
  const first = views.of(memory, 1, 3);
  assertEquals([...first], [2, 3]);
  memory[1] = 9;
  assertStrictEquals(views.of(memory, 1, 3), first);
  assertEquals([...first], [9, 3]);
  assertEquals([...views.of(memory, 1, 4)], [9, 3, 4]);
  assertEquals([...views.of(memory, 0, 4)], [1, 9, 3, 4]);
  assertNotStrictEquals(views.of(memory, 1, 3), first);
  assertEquals([...views.of(new Uint8Array([5, 6, 7]), 1, 3)], [6, 7]);
});
