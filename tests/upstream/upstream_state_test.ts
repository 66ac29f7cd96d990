// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { localCells } from "../../lib/state/cells.ts";
import { sharedTime } from "../../lib/state/shared_time.ts";
import {
  changeFlags,
  EJECTED_UNTIL,
  Flag,
  OPEN_UNTIL,
  RISEN_AT,
  rowOf,
  upstreamCellCount,
} from "../../lib/upstream/upstream_cells.ts";
import { readFacts } from "../../lib/upstream/upstream_facts.ts";
import { stateOf, takesRequests, UPSTREAM_STATES, type UpstreamState } from "../../lib/upstream/upstream_state.ts";

const ALL = Flag.maintenance | Flag.draining | Flag.probedDown | Flag.open | Flag.ejected | Flag.onTrial |
  Flag.halfOpen | Flag.rising;

Deno.test("stateOf() names what an operator decided first, then the state in which an upstream gets the least", () => {
  const found: UpstreamState[] = [];
  let flags: number = ALL;
  for (
    const flag of [
      ...[Flag.maintenance, Flag.draining, Flag.probedDown, Flag.open],
      ...[Flag.ejected, Flag.onTrial, Flag.halfOpen, Flag.rising],
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

Deno.test("readFacts() tells a state that its facts bear out, where several hold at a time", () => {
  const cells = localCells(upstreamCellCount(1));
  const row = rowOf(cells);
  const nowMs = sharedTime.refresh();
  row.times[EJECTED_UNTIL] = nowMs + 5000;
  row.times[OPEN_UNTIL] = nowMs + 9000;
  row.times[RISEN_AT] = nowMs;
  changeFlags(cells, { set: Flag.ejected | Flag.open | Flag.rising });
  const both = readFacts(row, 10_000, nowMs);
  assertEquals([both.state, both.breakerRetryMs, both.ejectedForMs], ["breaker_open", 9000, 5000]);
  changeFlags(cells, { clear: Flag.open });
  assertEquals(readFacts(row, 10_000, nowMs).state, "ejected");
  changeFlags(cells, { clear: Flag.ejected });
  assertEquals([readFacts(row, 10_000, nowMs).state, readFacts(row, 0, nowMs).state], ["slow_start", "active"]);
});
