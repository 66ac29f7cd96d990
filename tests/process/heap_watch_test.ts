// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { HeapWatch } from "../../lib/process/heap_watch.ts";

const MIB = 2 ** 20;

Deno.test("HeapWatch takes a heap for nearly full after three readings in a row, and says so once each time", () => {
  const said: unknown[][] = [];
  let used = 0;
  const watch = new HeapWatch(
    { log: (...line) => void said.push(line) },
    () => ({ used: used * MIB, limit: 100 * MIB }),
  );
  const sample = (mb: number) => {
    used = mb;
    return watch.sample();
  };
  assertEquals([84, 85, 99, 84, 85, 86].map(sample), [false, false, false, false, false, false]);
  assertEquals(said.length, 0);
  assertEquals([87, 88, 20, 90, 90, 90].map(sample), [true, true, false, false, false, true]);
  assertEquals(said.map(([level, , fields]) => [level, (fields as { used_mb: number }).used_mb]), [["warn", 87], [
    "warn",
    90,
  ]]);
});

Deno.test("HeapWatch reads the heap of this thread", () => {
  const watch = new HeapWatch({ log: () => {} });
  assertEquals([watch.sample(), watch.sample(), watch.sample()], [false, false, false]);
});
