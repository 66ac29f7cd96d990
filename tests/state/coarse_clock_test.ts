// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { CoarseClock } from "../../lib/state/coarse_clock.ts";

Deno.test("CoarseClock ticks while something is watched, and holds no timer otherwise", async () => {
  const clock = new CoarseClock(5);
  const seen: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const watched = {
    tick: (nowMs: number) => {
      seen.push(nowMs);
      if (seen.length === 3) {
        clock.unwatch(watched);
        resolve();
      }
    },
  };
  // The clock's own timer does not keep the process alive; this one does.
  const alive = setTimeout(() => {}, 5000);
  clock.watch(watched);
  await promise;
  clearTimeout(alive);
  assertEquals(seen.length, 3);
  assert(seen[0] < seen[1] && seen[1] < seen[2], "time goes forward");
  // The sanitizer of the test runner fails this test if the timer is still there.
});

Deno.test("CoarseClock counts a pause of the process as five ticks", async () => {
  const clock = new CoarseClock(5);
  const { promise, resolve } = Promise.withResolvers<number>();
  const watched = { tick: (nowMs: number) => resolve(nowMs) };
  const alive = setTimeout(() => {}, 5000);
  clock.watch(watched);
  const until = performance.now() + 1300;
  while (performance.now() < until); // nothing runs, as in a suspended process
  assertEquals(await promise, 25);
  clock.unwatch(watched);
  clearTimeout(alive);
});
