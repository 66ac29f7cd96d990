// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { SharedTime } from "../../lib/state/shared_time.ts";

Deno.test("SharedTime.take() gives all events of a batch the time at which it was taken from the system", () => {
  let realMs = 100.25;
  const time = new SharedTime();
  time.readBy(() => realMs);
  assertEquals(time.beginBatch(), 100.25);
  realMs = 105;
  assertEquals([time.take(), time.nowMs, time.realMs], [100.25, 100, 105]);
  assertEquals(time.refresh(), 105);
  time.endBatch();
  assertEquals(time.take(), 105);
  realMs = 106;
  assert(time.take() === 106 && time.nowMs === 106);
});
