// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { sharedTime } from "../../../lib/state/shared_time.ts";
import {
  type ConditionChange,
  type ConditionOptions,
  UpstreamCondition,
} from "../../../lib/upstream/condition/condition.ts";
import {
  changeFlags,
  EJECTED_UNTIL,
  memoryOf,
  OPEN_UNTIL,
  SLOW_START_AT,
  upstreamFieldCount,
} from "../../../lib/upstream/condition/condition_fields.ts";
import { Flag } from "../../../lib/upstream/condition/upstream_states.ts";
import { jump } from "../../support/time_jump.ts";

const RULES: ConditionOptions = {
  passiveHealth: {
    ...{
      enabled: true,
      max_ejected_percent: 50,
      max_fails: 2,
      fail_window: 30_000,
      eject_for: 10_000,
      max_eject_for: 60_000,
      slow_after: 0,
    },
    fail_status: [[500, 599]],
  },
  circuitBreaker: {
    ...{ enabled: true, max_in_flight: 0, failure_ratio: 0.5, min_requests: 100, window: 10_000, open_for: 30_000 },
    ...{ slow_after: 0, slow_ratio: 1, trial_requests: 2 },
  },
  loadBalancing: { slow_start: 10_000 },
};
const FIRST = { trial: false, anyway: false };

function newMemory() {
  return memoryOf(new Int32Array(upstreamFieldCount(1)));
}

Deno.test("UpstreamCondition.facts give a state that fits them, where several hold at a time", () => {
  const memory = newMemory();
  const condition = new UpstreamCondition(memory, { ...RULES, probedFirst: "healthy" });
  const nowMs = sharedTime.refresh();
  memory.times[EJECTED_UNTIL] = nowMs + 5000;
  memory.times[OPEN_UNTIL] = nowMs + 9000;
  memory.times[SLOW_START_AT] = nowMs;
  changeFlags(memory.fields, { set: Flag.ejected | Flag.breaker_open | Flag.slow_start });
  const { state, breakerRetryMs, ejectedForMs } = condition.facts;
  const near = (ms: number | null, expected: number) => ms !== null && ms <= expected && ms > expected - 1000;
  assertEquals([state, near(breakerRetryMs, 9000), near(ejectedForMs, 5000)], ["breaker_open", true, true]);
  changeFlags(memory.fields, { clear: Flag.breaker_open });
  assertEquals(condition.state, "ejected");
  changeFlags(memory.fields, { clear: Flag.ejected });
  const withoutSlowStart = new UpstreamCondition(memory, {
    ...RULES,
    loadBalancing: { slow_start: 0 },
    probedFirst: "healthy",
  });
  assertEquals([condition.state, withoutSlowStart.state], ["slow_start", "active"]);
});

Deno.test("UpstreamCondition.unavailableForMs lasts until ejection and open breaker are both over", () => {
  const memory = newMemory();
  const condition = new UpstreamCondition(memory, RULES);
  const nowMs = sharedTime.refresh();
  memory.times[EJECTED_UNTIL] = nowMs + 50_000;
  memory.times[OPEN_UNTIL] = nowMs + 90_000;
  const longest = () => Math.ceil(condition.unavailableForMs / 10_000);
  assertEquals(longest(), 0);
  changeFlags(memory.fields, { set: Flag.ejected });
  assertEquals(longest(), 5);
  changeFlags(memory.fields, { set: Flag.breaker_open });
  assertEquals(longest(), 9);
  changeFlags(memory.fields, { clear: Flag.ejected });
  assertEquals(longest(), 9);
});

Deno.test("UpstreamCondition goes from ejected to on trial to slow start to active, and reports each change once", () => {
  const changes: ConditionChange["kind"][] = [];
  const condition = new UpstreamCondition(newMemory(), RULES);
  condition.onChange = ({ kind }) => changes.push(kind);
  assertEquals([condition.failed("broken", false), condition.failed("broken", false)], [false, true]);
  assertEquals([condition.state, condition.healthy, condition.lastResort], ["ejected", false, true]);
  jump(10_001);
  assertEquals([condition.state, condition.healthy], ["on_trial", true]);
  assertEquals([condition.beginTrial(), condition.beginTrial()], [true, undefined]);
  condition.responded(undefined, 200, 1, { trial: true, anyway: false });
  assertEquals([condition.state, condition.share], ["slow_start", 0.1]);
  jump(5000);
  sharedTime.refresh();
  assertEquals(Math.round(condition.share * 10), 5);
  jump(5001);
  assertEquals([condition.state, condition.beginTrial()], ["active", false]);
  assertEquals(changes, ["ejected", "returned"]);
});

Deno.test("UpstreamCondition.responded() leaves alone what a good response says nothing of", () => {
  const condition = new UpstreamCondition(newMemory(), { ...RULES, probedFirst: "unhealthy" });
  assertEquals([condition.state, condition.unhealthy], ["unhealthy", true]);
  condition.responded(condition.failureOf(200, 1), 200, 1, FIRST);
  assertEquals(condition.state, "unhealthy");
  assertEquals([condition.probed(true), condition.probed(true), condition.state], [true, false, "slow_start"]);
});

Deno.test("UpstreamCondition.setAdminState() comes before everything else, and ends with a slow start", () => {
  const condition = new UpstreamCondition(newMemory(), RULES);
  condition.setAdminState("draining");
  condition.failed("broken", false);
  condition.failed("broken", false);
  assertEquals([condition.state, condition.usableInPanic, condition.lastResort], ["draining", false, false]);
  condition.setAdminState("maintenance");
  assertEquals([condition.state, condition.adminState], ["maintenance", "maintenance"]);
  condition.setAdminState("active");
  assertEquals([condition.state, condition.adminState], ["ejected", "active"]);
});

Deno.test("UpstreamCondition ends what an earlier generation left and no rule of this one would end", () => {
  const memory = newMemory();
  const before = new UpstreamCondition(memory, { ...RULES, probedFirst: "unhealthy" });
  before.failed("broken", false);
  before.failed("broken", false);
  assertEquals(before.state, "unhealthy");
  assertEquals(new UpstreamCondition(memory, {}).state, "active");
});
