// @ts-types="../../types/std/assert.d.ts"
import { assert } from "@std/assert";
import { SharedTime } from "../../lib/state/shared_time.ts";

/** How far apart two clocks are. They cannot be read at once, so it is the least of many readings. */
function apartMs(one: SharedTime, other: SharedTime): number {
  const readings = Array.from({ length: 100 }, () => Math.abs(other.refresh() - one.refresh()));
  return Math.min(...readings);
}

Deno.test("SharedTime.align() counts the time that a snapshot has travelled", () => {
  const one = new SharedTime();
  const other = new SharedTime();
  const { nowMs, wallMs } = one.snapshot;
  // As if the worker that gets it had taken a second to load.
  other.align({ nowMs: nowMs - 1000, wallMs: wallMs - 1000 });
  assert(apartMs(one, other) <= 5, `${one.nowMs} and ${other.nowMs}`);
});

Deno.test("SharedTime.align() is not led astray by a clock that was set meanwhile", () => {
  const one = new SharedTime();
  const other = new SharedTime();
  const { nowMs, wallMs } = one.snapshot;
  other.align({ nowMs, wallMs: wallMs + 3_600_000 });
  assert(apartMs(one, other) <= 5);
  other.align({ nowMs, wallMs: wallMs - 3_600_000 });
  assert(apartMs(one, other) <= 10_005);
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
