// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { sharedTime } from "../../../lib/state/shared_time.ts";
import { CircuitBreaker } from "../../../lib/upstream/condition/circuit_breaker.ts";
import type { CircuitBreakerConfig } from "../../../lib/upstream/config/resilience_schema.ts";
import { FLAGS, memoryOf, upstreamFieldCount } from "../../../lib/upstream/condition/condition_fields.ts";
import { Flag } from "../../../lib/upstream/condition/upstream_states.ts";
import { jump } from "../../support/time_jump.ts";

const OPTIONS: CircuitBreakerConfig = {
  enabled: true,
  max_in_flight: 0,
  failure_ratio: 0.5,
  min_requests: 4,
  window: 10_000,
  open_for: 30_000,
  slow_after: 100,
  slow_ratio: 0.75,
  trial_requests: 2,
};

function breakerOf(options: Partial<CircuitBreakerConfig> = {}) {
  const fields = new Int32Array(upstreamFieldCount(1));
  const breaker = new CircuitBreaker(memoryOf(fields), { ...OPTIONS, ...options });
  return {
    breaker,
    has: (flag: number) => (fields[FLAGS] & flag) !== 0,
    /** `g`ood, `b`ad and `s`low attempts. */
    record: (attempts: string) => [...attempts].map((one) => breaker.record(one === "b", one === "s" ? 101 : 100)),
    reconsider: () => breaker.reconsider(sharedTime.refresh()),
  };
}

function opens(attempts: string, options: Partial<CircuitBreakerConfig> = {}): boolean {
  return breakerOf(options).record(attempts).includes("opened");
}

Deno.test("CircuitBreaker.record() opens at the share of failures, not below it, and not before min_requests", () => {
  assertEquals([opens("bbb"), opens("bbbb"), opens("ggbb"), opens("gggbb"), opens("gggbbb")], [
    ...[false, true, true, false, true],
  ]);
  assertEquals([opens("bbbg"), opens("gbbb")], [false, true]);
});

Deno.test("CircuitBreaker.record() opens at the share of slow attempts", () => {
  assertEquals([opens("gsss"), opens("ggss"), opens("ssss", { slow_after: 0 })], [true, false, false]);
});

Deno.test("CircuitBreaker.record() forgets what is older than its window", () => {
  const { record } = breakerOf();
  record("bbb");
  jump(OPTIONS.window + 10);
  assertEquals(record("bbbb"), [undefined, undefined, undefined, "opened"]);
});

Deno.test("an open breaker takes no notice of what ends now", () => {
  const { record, has } = breakerOf();
  record("bbbb");
  assertEquals(record("gbgbs"), Array(5).fill(undefined));
  assertEquals([has(Flag.breaker_open), has(Flag.breaker_half_open)], [true, false]);
});

Deno.test("CircuitBreaker.reconsider() makes it half open when its time is over", () => {
  const { record, has, reconsider } = breakerOf();
  record("bbbb");
  jump(OPTIONS.open_for / 2);
  assertEquals(reconsider(), false);
  jump(OPTIONS.open_for / 2);
  assertEquals([reconsider(), has(Flag.breaker_open), has(Flag.breaker_half_open)], [true, false, true]);
});

Deno.test("a half-open breaker closes after as many good trials as it lets through, with a clean window", () => {
  const { record, has, reconsider } = breakerOf();
  record("bbbb");
  jump(OPTIONS.open_for);
  reconsider();
  assertEquals(record("gg"), [undefined, "closed"]);
  assertEquals([has(Flag.breaker_half_open), has(Flag.slow_start)], [false, true]);
  // Were the failures before still counted, it would open with the first.
  assertEquals(record("bbbb"), [undefined, undefined, undefined, "opened"]);
});

for (const bad of ["b", "s"]) {
  Deno.test(`a half-open breaker opens again after a ${bad === "b" ? "failed" : "slow"} trial, for the whole time`, () => {
    const { record, has, reconsider } = breakerOf();
    record("bbbb");
    jump(OPTIONS.open_for);
    reconsider();
    assertEquals(record(`g${bad}`), [undefined, "opened"]);
    assertEquals([has(Flag.breaker_open), has(Flag.breaker_half_open)], [true, false]);
    jump(OPTIONS.open_for / 2);
    assertEquals(reconsider(), false);
    jump(OPTIONS.open_for / 2);
    reconsider();
    // The good trial of last time counts no more.
    assertEquals(record("gg"), [undefined, "closed"]);
  });
}
