// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { PassiveHealth } from "../../../lib/upstream/condition/passive_health.ts";
import type { PassiveHealthConfig } from "../../../lib/upstream/config/resilience_schema.ts";
import { sharedTime } from "../../../lib/state/shared_time.ts";
import { failureClassOf } from "../../../lib/upstream/condition/failure_class.ts";
import { EJECTED_FOR, FLAGS, memoryOf, upstreamFieldCount } from "../../../lib/upstream/condition/condition_fields.ts";
import { Flag } from "../../../lib/upstream/condition/upstream_states.ts";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import { jump } from "../../support/time_jump.ts";

const OPTIONS: PassiveHealthConfig = {
  enabled: true,
  max_ejected_percent: 50,
  max_fails: 3,
  fail_window: 30_000,
  eject_for: 10_000,
  max_eject_for: 60_000,
  slow_after: 100,
  fail_status: [[500, 502], [504, 504]],
};

function health(options: Partial<PassiveHealthConfig> = {}) {
  const fields = new Int32Array(upstreamFieldCount(1));
  const memory = memoryOf(fields);
  const passive = new PassiveHealth(memory, { ...OPTIONS, ...options });
  return {
    passive,
    has: (flag: number) => (fields[FLAGS] & flag) !== 0,
    lasts: () => memory.times[EJECTED_FOR],
    fail: (times = 1) => Array.from({ length: times }, () => passive.failed("broken", () => true)),
    reconsider: () => passive.reconsider(sharedTime.refresh()),
  };
}

Deno.test("PassiveHealth.failureClassOf() goes by the ranges of statuses, then by the time", () => {
  const { passive } = health();
  const cases = [[200, 100], [500, 0], [502, 200], [503, 0], [504, 0], [404, 101]] as const;
  assertEquals(cases.map(([status, ms]) => passive.failureClassOf(status, ms)), [
    ...[undefined, "status", "status", undefined, "status", "slow"],
  ]);
  assertEquals(health({ slow_after: 0 }).passive.failureClassOf(200, 1e9), undefined);
});

Deno.test("PassiveHealth.failed() ejects with the last of max_fails failures, once", () => {
  const { fail, has } = health();
  assertEquals(fail(5), [false, false, true, false, false]);
  assertEquals(has(Flag.ejected), true);
});

Deno.test("PassiveHealth.failed() with max_fails of 0 never ejects", () => {
  assertEquals(health({ max_fails: 0 }).fail(100).includes(true), false);
});

Deno.test("PassiveHealth.succeeded() begins the count anew", () => {
  const { passive, fail } = health();
  fail(2);
  assertEquals(passive.succeeded(), false);
  assertEquals(fail(3), [false, false, true]);
});

Deno.test("PassiveHealth.failed() begins the count anew after fail_window", () => {
  const { fail } = health();
  fail(2);
  jump(OPTIONS.fail_window + 10);
  assertEquals(fail(3), [false, false, true]);
});

Deno.test("PassiveHealth.failed() asks each time whether the pool can spare it", () => {
  const { passive, fail } = health();
  fail(2);
  const asked: string[] = [];
  const spare = (answer: boolean) => (failure: string) => asked.push(failure) > 0 && answer;
  assertEquals(passive.failed("status", spare(false)), false);
  assertEquals(passive.failed("timeout", spare(true)), true);
  assertEquals([asked, passive.ejectedBy], [["status", "timeout"], "timeout"]);
});

Deno.test("PassiveHealth.reconsider() ends an ejection when its time is over, and puts on trial", () => {
  const { fail, has, reconsider } = health();
  fail(3);
  jump(OPTIONS.eject_for / 2);
  assertEquals([reconsider(), has(Flag.ejected)], [false, true]);
  jump(OPTIONS.eject_for / 2);
  assertEquals([reconsider(), has(Flag.ejected), has(Flag.on_trial)], [true, false, true]);
});

Deno.test("a trial that goes well ends it; one that fails ejects for twice as long, up to the most", () => {
  const { passive, fail, has, lasts, reconsider } = health();
  fail(3);
  const lasted = [lasts()];
  for (let round = 0; round < 4; round++) {
    jump(lasts());
    reconsider();
    assertEquals(fail(), [true]);
    lasted.push(lasts());
  }
  assertEquals(lasted, [10_000, 20_000, 40_000, 60_000, 60_000]);
  jump(lasts());
  reconsider();
  assertEquals([passive.succeeded(), has(Flag.on_trial), has(Flag.slow_start)], [true, false, true]);
});

Deno.test("each time in use as long as the last ejection makes up for one", () => {
  const { passive, fail, lasts, reconsider } = health();
  fail(3);
  jump(lasts());
  reconsider();
  fail();
  assertEquals(lasts(), 20_000);
  // The ejection, and then twice as long in use.
  jump(20_000);
  reconsider();
  passive.succeeded();
  jump(40_000);
  fail(3);
  assertEquals(lasts(), 10_000);
});

Deno.test("PassiveHealth.restore() ends an ejection early, and says whether there was one", () => {
  const { passive, fail, has } = health();
  assertEquals(passive.restore(), false);
  fail(3);
  assertEquals([passive.restore(), has(Flag.ejected), has(Flag.slow_start)], [true, false, true]);
  assertEquals(fail(3), [false, false, true]);
});

Deno.test("failureClassOf() distinguishes failures of the upstream from those of the client and the proxy", () => {
  const classOf = (kind: TransportFailure["kind"], reused = false) =>
    failureClassOf(new TransportFailure(kind, ""), reused);
  assertEquals([classOf("connect"), classOf("connect_timeout")], ["unreachable", "unreachable"]);
  assertEquals([classOf("read_timeout"), classOf("write_timeout")], ["timeout", "timeout"]);
  assertEquals([classOf("closed_in_head"), classOf("closed_in_body"), classOf("malformed")], Array(3).fill("broken"));
  assertEquals([classOf("closed_unanswered"), classOf("closed_unanswered", true)], ["broken", undefined]);
  for (const kind of ["closed_unused", "client_left", "client_timeout", "body_too_large", "dropped"] as const) {
    assertEquals(classOf(kind), undefined, kind);
  }
});
