// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { WeightedRoundRobin } from "../../lib/balancer/weighted_round_robin.ts";
import { countPicks, policyContract, upstreamsOf } from "../contract/policy_contract.ts";

policyContract("WeightedRoundRobin", (upstreams, options) => new WeightedRoundRobin(upstreams, options), {
  spread: "weighted",
  joint: true,
});

Deno.test("WeightedRoundRobin.pick() is exact in every cycle, for weights in lowest terms", () => {
  const upstreams = upstreamsOf(500, 300, 200);
  const policy = new WeightedRoundRobin(upstreams);
  for (let cycle = 0; cycle < 5; cycle++) assertEquals(countPicks(policy, upstreams, { picks: 10 }), [5, 3, 2]);
});

Deno.test("WeightedRoundRobin.pick() gives 5, 1, 1 never five in a row", () => {
  for (const weights of [[5, 1, 1], [1, 5, 1], [1, 1, 5]]) {
    const policy = new WeightedRoundRobin(upstreamsOf(...weights));
    let run = 0;
    for (let i = 0; i < 70; i++) {
      run = policy.pick()?.weight === 5 ? run + 1 : 0;
      assertLess(run, 5);
    }
  }
});

Deno.test("WeightedRoundRobin bounds its cycle for weights without a common measure", () => {
  for (const weights of [[1_000_003, 999_983], [1, 1_000_000], [1.37, 2.91]]) {
    const upstreams = upstreamsOf(...weights);
    const policy = new WeightedRoundRobin(upstreams);
    const counts = countPicks(policy, upstreams, { picks: 40_960 });
    assert(counts.every((count) => count > 0), "everyone has a turn");
    const share = weights[0] / (weights[0] + weights[1]);
    assertLess(Math.abs(counts[0] / 40_960 - share), 0.001);
  }
});

Deno.test("WeightedRoundRobin.pick() shares the turns of a dead upstream by weight, exactly", () => {
  const upstreams = upstreamsOf(3, 4, 1);
  upstreams[1].available = false;
  const policy = new WeightedRoundRobin(upstreams);
  assertEquals(countPicks(policy, upstreams, { picks: 32 }), [24, 0, 8]);
});

Deno.test("WeightedRoundRobin.pick() does not move the turn for a retry", () => {
  const upstreams = upstreamsOf(2, 1);
  const policy = new WeightedRoundRobin(upstreams);
  const alone = new WeightedRoundRobin(upstreams);
  for (let i = 0; i < 12; i++) {
    assertStrictEquals(policy.pick(), alone.pick());
    policy.pick(undefined, [upstreams[0]]);
  }
});
