// @ts-types="../../types/std/assert.d.ts"
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { DURATION_BOUNDS } from "../../lib/metrics/metric.ts";
import { localMetricFields } from "../../lib/metrics/metric_fields.ts";
import { MetricSet } from "../../lib/metrics/metric_set.ts";
import { countsSince, quantile } from "../../lib/metrics/quantile.ts";

/** A histogram among other metrics. */
function histogram(bounds: readonly number[] = DURATION_BOUNDS) {
  const set = new MetricSet({
    before: { kind: "counter", help: "Before." },
    sizes: { kind: "histogram", help: "Sizes.", bounds },
    behind: { kind: "counter", help: "Behind." },
  });
  const values = set.take(localMetricFields(), "a");
  return {
    observe: (value: number) => values.observe(set.metrics.sizes, value),
    read: () => values.histogram(set.metrics.sizes),
    neighbours: () => [values.value(set.metrics.before), values.value(set.metrics.behind)],
  };
}

/** The slow, obvious twin of the search in `observe`. */
function bucketOf(bounds: readonly number[], value: number): number {
  const found = bounds.findIndex((bound) => value <= bound);
  return found < 0 ? bounds.length : found;
}

Deno.test("MetricValues.observe() finds the bucket that a plain search finds, on, below and above each bound", () => {
  for (const bounds of [DURATION_BOUNDS, [1], [], [0.1, 0.2, 0.3]]) {
    const values = [0, ...bounds.flatMap((bound) => [bound * (1 - 1e-9), bound, bound * (1 + 1e-9)]), 1e9];
    for (const value of values) {
      const one = histogram(bounds);
      one.observe(value);
      const { counts, sum } = one.read();
      assertEquals([counts.indexOf(1), sum], [bucketOf(bounds, value), value]);
      assertEquals(counts.length, bounds.length + 1);
    }
  }
});

Deno.test("MetricValues.observe() counts what is no duration as zero, and its sum stays a number", () => {
  const one = histogram([1]);
  for (const value of [-5, NaN, 0.5]) one.observe(value);
  assertEquals(one.read(), { bounds: [1], counts: [3, 0], sum: 0.5 });
});

Deno.test("a histogram keeps to its fields among others", () => {
  const one = histogram([1]);
  one.observe(0.5);
  one.observe(2);
  assertEquals(one.read(), { bounds: [1], counts: [1, 1], sum: 2.5 });
  assertEquals(one.neighbours(), [0, 0]);
});

Deno.test("MetricSet refuses bounds that are not finite and ascending", () => {
  for (const bounds of [[1, 1], [2, 1], [NaN], [1, Infinity]]) assertThrows(() => histogram(bounds), RangeError);
});

Deno.test("DURATION_BOUNDS go from half a millisecond to a minute", () => {
  assertEquals([DURATION_BOUNDS[0], DURATION_BOUNDS.at(-1)], [0.0005, 60]);
});

Deno.test("quantile() interpolates within the bucket", () => {
  assertAlmostEquals(quantile([1, 2, 4], [10, 0, 0, 0], 0.5)!, 0.5);
  assertAlmostEquals(quantile([1, 2, 4], [5, 5, 0, 0], 0.75)!, 1.5);
  assertAlmostEquals(quantile([1, 2, 4], [0, 0, 10, 0], 0)!, 2);
  assertAlmostEquals(quantile([1, 2, 4], [0, 0, 10, 0], 1)!, 4);
});

Deno.test("quantile() gives the highest bound for what lies above it, and nothing for nothing", () => {
  assertEquals(quantile([1, 2], [0, 0, 3], 0.5), 2);
  assertEquals(quantile([1, 2], [0, 0, 0], 0.5), undefined);
  assertEquals(quantile([], [3], 0.5), undefined);
});

Deno.test("quantile() lies within the bucket of the true quantile", () => {
  const values = Array.from({ length: 2000 }, (_, index) => 0.0002 * 1.006 ** index).filter((value) => value < 60);
  const one = histogram();
  for (const value of values) one.observe(value);
  const { bounds, counts } = one.read();
  for (const q of [0.01, 0.5, 0.9, 0.95, 0.99, 1]) {
    const truth = values[Math.ceil(q * values.length) - 1];
    const estimate = quantile(bounds, counts, q)!;
    const bucket = bucketOf(bounds, truth);
    assert(estimate <= bounds[bucket] && estimate >= (bounds[bucket - 1] ?? 0), `${q}: ${estimate} for ${truth}`);
  }
});

Deno.test("countsSince() is the difference, and counts from zero where the slots began anew", () => {
  assertEquals(countsSince([5, 7], [2, 7]), [3, 0]);
  assertEquals(countsSince([5, 7]), [5, 7]);
  assertEquals(countsSince([1, 7], [4, 6]), [1, 1]);
});
