// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { SharedMemoryState } from "../../../lib/state/shared_memory_state.ts";
import { parseEndpoint } from "../../../lib/sockets/endpoint.ts";
import { RetryBudget } from "../../../lib/upstream/retry_budget.ts";
import { RollingWindow } from "../../../lib/upstream/condition/circuit_breaker.ts";
import { Upstream } from "../../../lib/upstream/upstream.ts";
import { upstreamFieldCount } from "../../../lib/upstream/condition/condition_fields.ts";
import type { UpstreamOptions } from "../../../lib/upstream/upstream.ts";
import { jump } from "../../support/time_jump.ts";

const DAY_MS = 86_400_000;
/** Around where 31 and 32 bits of milliseconds end, once and again, and years later. */
const AGES_DAYS = [1, 24, 25, 26, 49, 50, 74, 75, 99, 100, 365, 3650];

const OPTIONS: UpstreamOptions = {
  ...{ url: "http://127.0.0.1:1", endpoint: parseEndpoint("http://127.0.0.1:1"), weight: 1, maxConnections: 0 },
  ...{ connectTimeoutMs: 1000, readTimeoutMs: 1000, writeTimeoutMs: 1000, clientTimeoutMs: 1000 },
  ...{ idle_timeout: 1000, max_idle: 1, maxHeadBytes: 1000 },
  ...{ clock: new CoarseClock(), loadBalancing: { slow_start: 10_000 } },
  passiveHealth: {
    ...{
      enabled: true,
      max_ejected_percent: 50,
      max_fails: 2,
      fail_window: 10_000,
      eject_for: 5000,
      max_eject_for: 60_000,
      slow_after: 0,
    },
    fail_status: [[500, 599]],
  },
  circuitBreaker: {
    ...{ enabled: true, max_in_flight: 0, failure_ratio: 0.5, min_requests: 3, window: 10_000, open_for: 5000 },
    ...{ slow_after: 0, slow_ratio: 1, trial_requests: 1 },
  },
} as unknown as UpstreamOptions;

/** Over shared memory too, where all workers see the same. */
function upstreams(): Upstream[] {
  const sharedState = new SharedMemoryState({ index: 0, count: 1 });
  // What lies before it moves it to an odd place.
  sharedState.take(1, "before");
  return [
    new Upstream(OPTIONS),
    new Upstream({ ...OPTIONS, takeFields: (count) => sharedState.take(count, "fields") }),
  ];
}

Deno.test("An ejection that is over stays over, however long nobody asks", () => {
  for (const days of AGES_DAYS) {
    for (const upstream of upstreams()) {
      upstream.failed("unreachable");
      upstream.failed("unreachable");
      assertEquals([upstream.available, upstream.state], [false, "ejected"], `at once, ${days}`);
      jump(days * DAY_MS);
      assertEquals(upstream.condition.unavailableForMs, 0, `${days} days later`);
      assertEquals([upstream.available, upstream.state], [true, "on_trial"], `${days} days later`);
    }
  }
});

Deno.test("A breaker whose time is over lets trials through, however long nobody asks", () => {
  for (const days of AGES_DAYS) {
    for (const upstream of upstreams()) {
      for (let i = 0; i < 3; i++) upstream.responded(500, 1);
      jump(days * DAY_MS);
      assert(upstream.available, `${days} days later`);
      assertEquals(upstream.condition.facts.breakerRetryMs, null);
    }
  }
});

Deno.test("Failures that are long past are not in a row with new ones", () => {
  for (const days of AGES_DAYS) {
    for (const upstream of upstreams()) {
      upstream.failed("unreachable");
      jump(days * DAY_MS);
      upstream.failed("unreachable");
      assertEquals(upstream.available, true, `${days} days later`);
    }
  }
});

Deno.test("A slow start that is over stays over", () => {
  for (const days of AGES_DAYS) {
    for (const upstream of upstreams()) {
      upstream.condition.startSlowly();
      assert(upstream.condition.share < 1);
      jump(days * DAY_MS);
      assertEquals([upstream.condition.facts.slowStartMs, upstream.condition.share], [null, 1], `${days} days later`);
    }
  }
});

Deno.test("A latency that is long past has faded", () => {
  for (const days of AGES_DAYS) {
    for (const upstream of upstreams()) {
      upstream.responded(200, 500);
      assert(upstream.latencyMs > 100);
      jump(days * DAY_MS);
      assert(upstream.latencyMs < 1, `${upstream.latencyMs} ms, ${days} days later`);
    }
  }
});

Deno.test("A retry budget fills up again, however long nobody has retried", () => {
  for (const days of AGES_DAYS) {
    const budget = new RetryBudget({ budget: 0, min_per_second: 1 });
    while (budget.withdraw());
    jump(days * DAY_MS);
    assert(budget.withdraw(), `${days} days later`);
  }
});

Deno.test("A breaker's window counts on for years", () => {
  const window = new RollingWindow(new Int32Array(upstreamFieldCount(1)), 1000);
  for (const days of AGES_DAYS) {
    const nowMs = days * DAY_MS;
    assertEquals(window.counts(nowMs).total, 0, `${days} days later`);
    window.count(nowMs, true, false);
    window.count(nowMs + 100, true, false);
    assertEquals(window.counts(nowMs + 500), { total: 2, failed: 2, slow: 0 });
  }
});
