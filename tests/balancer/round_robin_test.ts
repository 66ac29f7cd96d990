// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStrictEquals } from "@std/assert";
import { RoundRobin } from "../../lib/balancer/round_robin.ts";
import { countPicks, policyContract, upstreamsOf } from "../contract/policy_contract.ts";

policyContract("RoundRobin", (upstreams, options) => new RoundRobin(upstreams, options), {
  spread: "even",
  joint: true,
});

Deno.test("RoundRobin.pick() cycles through the upstreams in order", () => {
  const [a, b, c] = upstreamsOf(9, 1, 1);
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
