// @ts-types="../../types/std/assert.d.ts"
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { sharedTime } from "../../lib/state/shared_time.ts";
import { latencyMs, observeLatency } from "../../lib/upstream/latency.ts";
import { LATENCY_AT, upstreamCellCount } from "../../lib/upstream/upstream_cells.ts";

const cellsOf = () => new Int32Array(upstreamCellCount(1));

/** Has the shared time show `ms` more than it does; no real time passes into it. */
function later(ms: number): void {
  sharedTime.nowMs += ms;
}

Deno.test("latencyMs() is 0 before the first sample, and then that sample", () => {
  const cells = cellsOf();
  assertEquals(latencyMs(cells), 0);
  observeLatency(cells, 12.5);
  assertEquals(latencyMs(cells), 12.5);
});

Deno.test("a slow answer counts at once and in full", () => {
  const cells = cellsOf();
  observeLatency(cells, 10);
  observeLatency(cells, 500);
  assertEquals(latencyMs(cells), 500);
});

Deno.test("a quick answer brings the average down by how long ago the last one was", () => {
  const cells = cellsOf();
  observeLatency(cells, 100);
  later(10_000);
  observeLatency(cells, 0.001);
  // One time constant: what is left is 1/e.
  assertAlmostEquals(latencyMs(cells), 100 / Math.E, 0.01);
});

Deno.test("many quick answers within one millisecond bring the average down all the same", () => {
  const cells = cellsOf();
  observeLatency(cells, 100);
  for (let i = 0; i < 20_000; i++) {
    cells[LATENCY_AT] = sharedTime.nowMs;
    observeLatency(cells, 1);
  }
  assertLess(latencyMs(cells), 50);
});

Deno.test("the average fades while there is no traffic", () => {
  const cells = cellsOf();
  observeLatency(cells, 100);
  later(10_000);
  const faded = latencyMs(cells);
  assertAlmostEquals(faded, 100 / Math.E, 0.01);
  later(1_000_000);
  assert(latencyMs(cells) > 0);
  assertLess(latencyMs(cells), 0.01);
});
