// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import {
  Flag,
  stateOf,
  takesRequests,
  UPSTREAM_STATES,
  type UpstreamState,
} from "../../../lib/upstream/condition/upstream_states.ts";

const ALL = Flag.maintenance | Flag.draining | Flag.unhealthy | Flag.breaker_open | Flag.ejected | Flag.on_trial |
  Flag.breaker_half_open | Flag.slow_start;

Deno.test("stateOf() names what an operator decided first, then the state in which an upstream gets the least", () => {
  const found: UpstreamState[] = [];
  let flags: number = ALL;
  for (
    const flag of [
      ...[Flag.maintenance, Flag.draining, Flag.unhealthy, Flag.breaker_open],
      ...[Flag.ejected, Flag.on_trial, Flag.breaker_half_open, Flag.slow_start],
    ]
  ) {
    found.push(stateOf(flags));
    flags &= ~flag;
  }
  assertEquals([...found, stateOf(flags)], [...UPSTREAM_STATES]);
  assertEquals(stateOf(Flag.known), "active");
});

Deno.test("takesRequests() is so for the states that give an upstream some", () => {
  assertEquals(UPSTREAM_STATES.filter(takesRequests), ["on_trial", "breaker_half_open", "slow_start", "active"]);
});

Deno.test("Flag has a bit for each state but active, in their order of precedence", () => {
  const { known, ...states } = Flag;
  assertEquals([...Object.keys(states), "active"], [...UPSTREAM_STATES]);
  assertEquals([...Object.values(states), known], Array.from({ length: 9 }, (_, bit) => 1 << bit));
});
