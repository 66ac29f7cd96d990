// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { Deadlines } from "../../../lib/upstream/connection/deadlines.ts";

const LIMITS = { readTimeoutMs: 1000, writeTimeoutMs: 1000, clientTimeoutMs: 60_000, minUploadRate: 500 };

function deadlinesOf(limits = LIMITS) {
  const clock = new CoarseClock();
  return { clock, deadlines: new Deadlines(clock, limits) };
}

/** Sends `bytes` every `everyMs`, for `forMs`; what becomes of it. */
function upload({ bytes, everyMs, forMs }: { bytes: number; everyMs: number; forMs: number }, limits = LIMITS) {
  const { clock, deadlines } = deadlinesOf(limits);
  let sent = 0;
  let waitedMs = 0;
  while (clock.nowMs < forMs) {
    deadlines.awaitUpload(sent, waitedMs);
    clock.nowMs += everyMs;
    const failure = deadlines.expired(clock.nowMs);
    if (failure !== undefined) return { atMs: clock.nowMs, failure };
    waitedMs += deadlines.endUpload();
    sent += bytes;
  }
  return undefined;
}

Deno.test("Deadlines ends an upload that drips once its grace is over, and none that keeps the lowest rate", () => {
  const dripping = upload({ bytes: 1, everyMs: 3000, forMs: 600_000 });
  assertEquals([dripping?.atMs, dripping?.failure.kind, dripping?.failure.owner], [21_000, "client_timeout", "client"]);
  assertMatch(dripping?.failure.message ?? "", /less than 500 bytes\/s/);
  assertEquals(upload({ bytes: 1500, everyMs: 3000, forMs: 600_000 }), undefined);
  assertEquals(upload({ bytes: 1, everyMs: 3000, forMs: 600_000 }, { ...LIMITS, minUploadRate: 0 }), undefined);
});

Deno.test("Deadlines counts only the time in which the client was waited for", () => {
  const { clock, deadlines } = deadlinesOf();
  let waitedMs = 0;
  for (let i = 0; i < 100; i++) {
    deadlines.awaitUpload(i, waitedMs);
    clock.nowMs += 50;
    assertEquals(deadlines.expired(clock.nowMs), undefined);
    waitedMs += deadlines.endUpload();
    // The upstream takes its time.
    clock.nowMs += 900;
    assertEquals(deadlines.expired(clock.nowMs), undefined);
  }
  assertEquals(waitedMs, 5000);
});

Deno.test("Deadlines bounds a head as a whole, and a body by its silence", () => {
  const { clock, deadlines } = deadlinesOf();
  for (const [wait, kinds] of [["awaitHead", "read_timeout"], ["awaitRead", undefined]] as const) {
    let kind: string | undefined;
    for (let i = 0; i < 5; i++) {
      deadlines[wait]();
      clock.nowMs += 300;
      kind ??= deadlines.expired(clock.nowMs)?.kind;
    }
    deadlines.endRead();
    assertEquals(kind, kinds, wait);
  }
});
