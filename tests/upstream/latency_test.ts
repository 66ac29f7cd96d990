// @ts-types="../../types/std/assert.d.ts"
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { sharedTime } from "../../lib/state/shared_time.ts";
import { latencyMs, observeLatency } from "../../lib/upstream/latency.ts";
import { LATENCY_AT, rowOf, upstreamCellCount } from "../../lib/upstream/upstream_cells.ts";

const rowOfOne = () => rowOf(new Int32Array(upstreamCellCount(1)));

/** Has the shared time show `ms` more than it does; no real time passes into it. */
function later(ms: number): void {
  sharedTime.nowMs += ms;
}

Deno.test("latencyMs() is 0 before the first sample, and then that sample", () => {
  const row = rowOfOne();
  assertEquals(latencyMs(row), 0);
  observeLatency(row, 12.5);
  assertEquals(latencyMs(row), 12.5);
});

Deno.test("a slow answer counts at once and in full", () => {
  const row = rowOfOne();
  observeLatency(row, 10);
  observeLatency(row, 500);
  assertEquals(latencyMs(row), 500);
});

Deno.test("a quick answer brings the average down by how long ago the last one was", () => {
  const row = rowOfOne();
  observeLatency(row, 100);
  later(10_000);
  observeLatency(row, 0.001);
  // One time constant: what is left is 1/e.
  assertAlmostEquals(latencyMs(row), 100 / Math.E, 0.01);
});

Deno.test("many quick answers within one millisecond bring the average down all the same", () => {
  const row = rowOfOne();
  observeLatency(row, 100);
  for (let i = 0; i < 20_000; i++) {
    row.times[LATENCY_AT] = sharedTime.nowMs;
    observeLatency(row, 1);
  }
  assertLess(latencyMs(row), 50);
});

Deno.test("the average fades while there is no traffic", () => {
  const row = rowOfOne();
  observeLatency(row, 100);
  later(10_000);
  const faded = latencyMs(row);
  assertAlmostEquals(faded, 100 / Math.E, 0.01);
  later(1_000_000);
  assert(latencyMs(row) > 0);
  assertLess(latencyMs(row), 0.01);
});
