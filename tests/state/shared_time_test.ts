// @ts-types="../../types/std/assert.d.ts"
import { assert } from "@std/assert";
import { SharedTime } from "../../lib/state/shared_time.ts";

/** How far apart two clocks are. They cannot be read at once, so it is the least of many readings. */
function apartMs(one: SharedTime, other: SharedTime): number {
  const readings = Array.from({ length: 100 }, () => Math.abs(other.refresh() - one.refresh()));
  return Math.min(...readings);
}

/** The least that two clocks are apart after `align`, of some pairs: a busy machine may take a while within it. */
function leastApartMs(align: (one: SharedTime, other: SharedTime) => void): number {
  const pairs = Array.from({ length: 20 }, () => [new SharedTime(), new SharedTime()] as const);
  return Math.min(...pairs.map(([one, other]) => {
    align(one, other);
    return apartMs(one, other);
  }));
}

Deno.test("SharedTime.align() counts the time that a snapshot has travelled", () => {
  const apart = leastApartMs((one, other) => {
    const { nowMs, wallMs } = one.snapshot;
    // As if the worker that gets it had taken a second to load.
    other.align({ nowMs: nowMs - 1000, wallMs: wallMs - 1000 });
  });
  assert(apart <= 5, `${apart} ms`);
});

Deno.test("SharedTime.align() is not led astray by a clock that was set meanwhile", () => {
  const ahead = leastApartMs((one, other) => {
    const { nowMs, wallMs } = one.snapshot;
    other.align({ nowMs, wallMs: wallMs + 3_600_000 });
  });
  assert(ahead <= 5, `${ahead} ms`);
  const behind = leastApartMs((one, other) => {
    const { nowMs, wallMs } = one.snapshot;
    other.align({ nowMs, wallMs: wallMs - 3_600_000 });
  });
  assert(behind <= 10_005, `${behind} ms`);
});

Deno.test("SharedTime counts on for years", () => {
  const time = new SharedTime();
  const { wallMs } = time.snapshot;
  time.align({ nowMs: 20 * 365 * 86_400_000, wallMs });
  const before = time.refresh();
  assert(before >= 20 * 365 * 86_400_000);
  assert(time.refresh() >= before);
});

Deno.test("SharedTime.align() goes by the clock that the time is read by", () => {
  const time = new SharedTime();
  time.readBy(() => performance.now() - 0.9);
  const { nowMs, wallMs } = time.snapshot;
  for (let jumpMs = 1; jumpMs < 100; jumpMs++) {
    time.align({ nowMs: nowMs + jumpMs * 1000, wallMs });
    assert(time.nowMs >= nowMs + jumpMs * 1000);
  }
});
