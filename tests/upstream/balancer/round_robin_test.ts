// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { RoundRobin } from "../../../lib/upstream/balancer/round_robin.ts";
import { countPicks, policyContract, upstreamsOf } from "../../contract/policy_contract.ts";

policyContract("RoundRobin", (upstreams, options) => new RoundRobin(upstreams, options), {
  spread: "weighted",
  joint: true,
});

Deno.test("RoundRobin.pick() is exact in every cycle, for weights in lowest terms", () => {
  const upstreams = upstreamsOf(500, 300, 200);
  const policy = new RoundRobin(upstreams);
  for (let cycle = 0; cycle < 5; cycle++) assertEquals(countPicks(policy, upstreams, { picks: 10 }), [5, 3, 2]);
});

Deno.test("RoundRobin.pick() gives 5, 1, 1 never five in a row", () => {
  for (const weights of [[5, 1, 1], [1, 5, 1], [1, 1, 5]]) {
    const policy = new RoundRobin(upstreamsOf(...weights));
    let run = 0;
    for (let i = 0; i < 70; i++) {
      run = policy.pick()?.weight === 5 ? run + 1 : 0;
      assertLess(run, 5);
    }
  }
});

Deno.test("RoundRobin bounds its cycle for weights without a common measure", () => {
  for (const weights of [[1_000_003, 999_983], [1, 1_000_000], [1.37, 2.91]]) {
    const upstreams = upstreamsOf(...weights);
    const policy = new RoundRobin(upstreams);
    const counts = countPicks(policy, upstreams, { picks: 40_960 });
    assert(counts.every((count) => count > 0), "everyone has a turn");
    const share = weights[0] / (weights[0] + weights[1]);
    assertLess(Math.abs(counts[0] / 40_960 - share), 0.001);
  }
});

Deno.test("RoundRobin.pick() shares the turns of a dead upstream by weight, exactly", () => {
  const upstreams = upstreamsOf(3, 4, 1);
  upstreams[1].available = false;
  const policy = new RoundRobin(upstreams);
  assertEquals(countPicks(policy, upstreams, { picks: 32 }), [24, 0, 8]);
});

Deno.test("RoundRobin.pick() does not move the turn for a retry, whatever the weights", () => {
  const upstreams = upstreamsOf(2, 1);
  const policy = new RoundRobin(upstreams);
  const alone = new RoundRobin(upstreams);
  for (let i = 0; i < 12; i++) {
    assertStrictEquals(policy.pick(), alone.pick());
    policy.pick(undefined, [upstreams[0]]);
  }
});

Deno.test("RoundRobin.pick() takes upstreams of equal weight in order, in a cycle as long as their list", () => {
  const [a, b, c] = upstreamsOf(9, 9, 9);
  const policy = new RoundRobin([a, b, c]);
  for (let round = 0; round < 3; round++) {
    for (const upstream of [a, b, c]) assertStrictEquals(policy.pick(), upstream);
  }
});

Deno.test("RoundRobin.pick() shares the turns of dead upstreams exactly, so no neighbour has a double share", () => {
  const upstreams = upstreamsOf(1, 1, 1, 1, 1);
  upstreams[1].available = upstreams[2].available = false;
  const policy = new RoundRobin(upstreams);
  // 5 turns a round, 2 of them spare: after 3 rounds each of the others has its own 3 and 2 of the 6 spare ones.
  assertEquals(countPicks(policy, upstreams, { picks: 15 }), [5, 0, 0, 5, 5]);
});

Deno.test("RoundRobin.pick() does not move the turn for a retry", () => {
  const [a, b] = upstreamsOf(1, 1);
  const policy = new RoundRobin([a, b]);
  // If `a` fails every attempt, requests still begin with `b` every other time.
  const first: boolean[] = [];
  for (let request = 0; request < 6; request++) {
    const tried = policy.pick();
    first.push(tried === a);
    if (tried === a) assertStrictEquals(policy.pick(undefined, [a]), b);
  }
  assertEquals(first, [true, false, true, false, true, false]);
});

Deno.test("RoundRobin.pick() spreads the turns of a heavy upstream as nginx does", () => {
  const upstreams = upstreamsOf(5, 1, 1);
  const policy = new RoundRobin(upstreams);
  const order = Array.from({ length: 14 }, () => "abc"[upstreams.indexOf(policy.pick() ?? upstreams[0])]);
  assertEquals(order.join(""), "aabacaaaabacaa");
});

Deno.test("RoundRobin.pick() follows weights that an operator has changed", () => {
  const upstreams = upstreamsOf(1, 1);
  const policy = new RoundRobin(upstreams);
  upstreams[0].weight = 5;
  policy.update(upstreams);
  assertEquals(countPicks(policy, upstreams, { picks: 12 }), [10, 2]);
});
