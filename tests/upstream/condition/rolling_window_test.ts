// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { RollingWindow } from "../../../lib/upstream/condition/circuit_breaker.ts";
import { upstreamFieldCount } from "../../../lib/upstream/condition/condition_fields.ts";

/** A time at which a bucket of 100 ms begins. */
const T = 1_000_000;

function windowOf(fields = new Int32Array(upstreamFieldCount(1))): RollingWindow {
  return new RollingWindow(fields, 1000);
}

Deno.test("RollingWindow.counts() sums what was counted within the window", () => {
  const window = windowOf();
  assertEquals(window.counts(T), { total: 0, failed: 0, slow: 0 });
  window.count(T, false, false);
  window.count(T + 50, true, false);
  window.count(T + 350, false, true);
  window.count(T + 950, true, true);
  assertEquals(window.counts(T + 950), { total: 4, failed: 2, slow: 2 });
});

Deno.test("RollingWindow.counts() lets go of a tenth of the window at a time", () => {
  const window = windowOf();
  for (let bucket = 0; bucket < 10; bucket++) window.count(T + bucket * 100, false, false);
  for (let gone = 0; gone <= 10; gone++) {
    assertEquals(window.counts(T + 900 + gone * 100).total, 10 - gone, `after ${gone} buckets`);
  }
});

Deno.test("RollingWindow.count() clears a bucket that an earlier turn has filled", () => {
  const window = windowOf();
  for (let i = 0; i < 5; i++) window.count(T, true, true);
  window.count(T + 1000, false, false);
  assertEquals(window.counts(T + 1000), { total: 1, failed: 0, slow: 0 });
});

Deno.test("RollingWindow.clear() forgets everything", () => {
  const window = windowOf();
  window.count(T, true, true);
  window.clear();
  assertEquals(window.counts(T), { total: 0, failed: 0, slow: 0 });
});

Deno.test("two RollingWindows over the same fields count together", () => {
  const fields = new Int32Array(upstreamFieldCount(1));
  const [one, two] = [windowOf(fields), windowOf(fields)];
  one.count(T, true, false);
  two.count(T, false, true);
  assertEquals(one.counts(T), { total: 2, failed: 1, slow: 1 });
});

Deno.test("RollingWindow counts on where 31 and 32 bits of milliseconds end", () => {
  for (const last of [0x7fffffff, 0xffffffff]) {
    const window = windowOf();
    window.count(last, true, false);
    assertEquals(window.counts(last + 1).failed, 1);
    window.count(last + 1, true, false);
    assertEquals(window.counts(last + 2).failed, 2);
  }
});
