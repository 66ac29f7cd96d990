// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { PendingOperation } from "../../support/pending_operation.ts";
import { type RuntimeWork, runtimeWork } from "../../../lib/sockets/linux/runtime_work.ts";

/** It has set a timer of a millisecond, to find out what the runtime tells, which is over when this resolves. */
async function work(): Promise<RuntimeWork> {
  const found = runtimeWork();
  assert(found !== undefined);
  await new Promise((resolve) => setTimeout(resolve, 2));
  return found;
}

Deno.test("RuntimeWork.nextTimerMs is when the timer that is due first is due, and looks at none twice", async () => {
  const told = await work();
  const firstMs = performance.now();
  const long = setTimeout(() => {}, 60_000);
  const longMs = told.nextTimerMs;
  // Below by what a busy machine took between the readings of two clocks, above by the margin.
  assert(longMs >= firstMs + 60_000 - 100 && longMs <= performance.now() + 60_000 + 1, `${longMs - firstMs}`);
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 20);
  const shortMs = told.nextTimerMs;
  assert(shortMs <= performance.now() + 20 + 1 && shortMs < longMs - 30_000, `${longMs - shortMs}`);
  assertEquals(told.nextTimerMs, shortMs);
  await promise;
  assertEquals(told.nextTimerMs, longMs);
  // The runtime still runs timers that are set after it was asked.
  await new Promise((resolve) => setTimeout(resolve, 1));
  clearTimeout(long);
});

Deno.test("RuntimeWork.nextTimerMs: timers of intervals, of node:timers, and those that keep no process alive are told too", async () => {
  const { setTimeout: nodeTimeout, clearTimeout: clearNode } = await import("node:timers");
  const told = await work();
  const before = told.nextTimerMs;
  const node = nodeTimeout(() => {}, 50_000).unref();
  const nodeMs = told.nextTimerMs;
  assert(nodeMs < before && nodeMs > performance.now() + 30_000);
  const interval = setInterval(() => {}, 40_000);
  Deno.unrefTimer(interval as unknown as number);
  assert(told.nextTimerMs < nodeMs && told.nextTimerMs > performance.now() + 20_000);
  clearInterval(interval);
  clearNode(node);
});

Deno.test("RuntimeWork.begun: an operation that has to wait, until the runtime has its turn; none that does not, and no timer", async () => {
  const told = await work();
  told.seen();
  assertEquals(told.begun, false);
  const timer = setTimeout(() => {}, 60_000);
  await Promise.resolve();
  assertEquals(told.begun, false);
  using operation = new PendingOperation();
  operation.begin();
  assertEquals(told.begun, true);
  assertEquals(told.begun, true);
  told.seen();
  assertEquals(told.begun, false);
  clearTimeout(timer);
});

Deno.test("RuntimeWork.begun: an immediate, until it has run", async () => {
  const told = await work();
  told.seen();
  const ran = new Promise<void>((resolve) => setImmediate(resolve));
  assertEquals(told.begun, true);
  told.seen();
  assertEquals(told.begun, true);
  await ran;
  told.seen();
  assertEquals(told.begun, false);
});
