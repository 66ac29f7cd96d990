// @ts-types="../../types/std/assert.d.ts"
import { assert, assertFalse, assertGreaterOrEqual } from "@std/assert";
import { StallTolerantTimer } from "../../lib/state/stall_tolerant_timer.ts";
import { until } from "../support/condition.ts";

function hold(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

Deno.test("StallTolerantTimer runs out after its time, once", async () => {
  let times = 0;
  const startMs = performance.now();
  const timer = new StallTolerantTimer(() => times++, 120);
  await until("it has run out", () => times > 0);
  assertGreaterOrEqual(performance.now() - startMs, 100);
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert(times === 1);
  timer.stop();
});

Deno.test("StallTolerantTimer does not count the time in which the process was held up", async () => {
  let out = false;
  const timer = new StallTolerantTimer(() => out = true, 300);
  hold(600);
  // What waits in sockets is looked at now.
  await new Promise((resolve) => setTimeout(resolve, 0));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertFalse(out);
  await until("it has run out", () => out);
  timer.stop();
});

Deno.test("StallTolerantTimer.stop() ends it, also in its last moment", async () => {
  let out = false;
  const timer = new StallTolerantTimer(() => out = true, 1);
  hold(20);
  timer.stop();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertFalse(out);
});
