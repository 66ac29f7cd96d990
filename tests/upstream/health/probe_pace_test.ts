// @ts-types="../../../types/std/assert.d.ts"
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { firstPauseMs, pauseMs } from "../../../lib/upstream/health/prober.ts";

Deno.test("firstPauseMs() is within a second, or within the interval where that is shorter", () => {
  assertEquals([0, 0.5].map((random) => firstPauseMs(10_000, random)), [0, 500]);
  assertEquals([0, 0.5].map((random) => firstPauseMs(200, random)), [0, 100]);
});

Deno.test("pauseMs() is the interval, give or take a tenth", () => {
  const pauses = [0, 0.5, 1].map((random) => pauseMs(10_000, "known", random));
  [9000, 10_000, 11_000].forEach((expected, i) => assertAlmostEquals(pauses[i], expected, 0.001));
});

Deno.test("pauseMs() is a second at the most while nothing is known", () => {
  assertAlmostEquals(pauseMs(10_000, "unknown", 0.5), 1000, 0.001);
  assertAlmostEquals(pauseMs(200, "unknown", 0.5), 200, 0.001);
});

Deno.test("pauseMs() spreads upstreams over the whole interval once something is known", () => {
  assertEquals([0, 0.25, 0.75].map((random) => pauseMs(10_000, "new", random)), [0, 2500, 7500]);
});
