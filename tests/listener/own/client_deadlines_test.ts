// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { ClientDeadlines } from "../../../lib/listener/own/client_deadlines.ts";
import { LISTENER_LIMITS } from "../../../lib/listener/own/limits_schema.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";

Deno.test("ClientDeadlines measures how a client takes a response from the beginning of its connection, however old the clock is", () => {
  const clock = new CoarseClock();
  for (const ageMs of [0, 1000, 86_400_000, 3e10]) {
    clock.nowMs = ageMs;
    const deadlines = new ClientDeadlines(clock, { ...LISTENER_LIMITS, write_timeout: 60_000, min_rate: 500 });
    const looks: [afterMs: number, queued: number, accepted: number][] = [
      [50, 1_000_000, 0],
      [250, 1_000_000, 40_000],
      [59_000, 1_000_000, 40_000],
      [59_500, 1_000_000, 80_000],
    ];
    for (const look of looks) {
      assertEquals(deadlines.overdue(ageMs + look[0], look[1], look[2]), undefined, String([ageMs, look]));
    }
    deadlines.overdue(ageMs + 119_000, 1_000_000, 80_000);
    assertEquals(deadlines.overdue(ageMs + 120_000, 1_000_000, 80_000), "write");
    const slow = new ClientDeadlines(clock, { ...LISTENER_LIMITS, write_timeout: 60_000, min_rate: 500 });
    assertEquals(slow.overdue(ageMs + 59_999, 1_000_000, 10_000), undefined);
    assertEquals(slow.overdue(ageMs + 60_001, 1_000_000, 10_100), "write");
  }
});
