// @ts-types="../../types/std/assert.d.ts"
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { sharedTime } from "../../lib/state/shared_time.ts";
import { latencyMs, observeLatency } from "../../lib/upstream/latency.ts";
import { LATENCY_AT, memoryOf, upstreamFieldCount } from "../../lib/upstream/condition/condition_fields.ts";

const rowOfOne = () => memoryOf(new Int32Array(upstreamFieldCount(1)));

/** Has the shared time show `ms` more than it does; no real time passes into it. */
function later(ms: number): void {
  sharedTime.nowMs += ms;
}

Deno.test("latencyMs() is 0 before the first sample, and then that sample", () => {
  const memory = rowOfOne();
  assertEquals(latencyMs(memory), 0);
  observeLatency(memory, 12.5);
  assertEquals(latencyMs(memory), 12.5);
});

Deno.test("a slow response counts at once and in full", () => {
  const memory = rowOfOne();
  observeLatency(memory, 10);
  observeLatency(memory, 500);
  assertEquals(latencyMs(memory), 500);
});

Deno.test("a quick response brings the average down by how long ago the last one was", () => {
  const memory = rowOfOne();
  observeLatency(memory, 100);
  later(10_000);
  observeLatency(memory, 0.001);
  // One time constant: what is left is 1/e.
  assertAlmostEquals(latencyMs(memory), 100 / Math.E, 0.01);
});

Deno.test("many quick responses within one millisecond bring the average down nevertheless", () => {
  const memory = rowOfOne();
  observeLatency(memory, 100);
  for (let i = 0; i < 20_000; i++) {
    memory.times[LATENCY_AT] = sharedTime.nowMs;
    observeLatency(memory, 1);
  }
  assertLess(latencyMs(memory), 50);
});

Deno.test("the average fades while there is no traffic", () => {
  const memory = rowOfOne();
  observeLatency(memory, 100);
  later(10_000);
  const faded = latencyMs(memory);
  assertAlmostEquals(faded, 100 / Math.E, 0.01);
  later(1_000_000);
  assert(latencyMs(memory) > 0);
  assertLess(latencyMs(memory), 0.01);
});
