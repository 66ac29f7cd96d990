// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { WaitRecord } from "../../../lib/sockets/linux/wait_record.ts";

/** Wakes the loop `times`, each with two waits; returns how many of each were made. */
function wake(record: WaitRecord, times: number, [first, second]: [boolean, boolean]): [number, number] {
  const made: [number, number] = [0, 0];
  for (let i = 0; i < times; i++) {
    record.begin();
    for (const [place, found] of [first, second].entries()) {
      if (!record.pays) break;
      made[place]++;
      record.add(found);
      if (!found) break;
    }
  }
  return made;
}

Deno.test("WaitRecord: waits that find an event go on, and those behind them that find none end", () => {
  const [first, second] = wake(new WaitRecord(), 1000, [true, false]);
  assertEquals(first, 1000);
  assert(second > 0 && second < 50, `${second}`);
});

Deno.test("WaitRecord: waits that find nothing are tried now and then, so that they begin again when traffic changes", () => {
  const record = new WaitRecord();
  const [first, second] = wake(record, 1000, [false, false]);
  assert(first > 0 && first < 50, `${first}`);
  assertEquals(second, 0);
  const [again] = wake(record, 1000, [true, true]);
  assert(again > 900, `${again}`);
});
