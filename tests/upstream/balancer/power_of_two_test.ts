// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { PowerOfTwo } from "../../../lib/upstream/balancer/power_of_two.ts";
import { assertProportions, countPicks, policyContract, upstreamsOf } from "../../contract/policy_contract.ts";
import { seededRandom } from "../../contract/seeded_random.ts";

// Weights decide between two only, so the shares of a larger idle pool lie between even and weighted.
policyContract("PowerOfTwo", (upstreams, options) => new PowerOfTwo(upstreams, options), {
  spread: "none",
  joint: false,
});

Deno.test("PowerOfTwo.pick() spreads evenly over equal idle upstreams", () => {
  for (const count of [2, 3, 20]) {
    const upstreams = upstreamsOf(...Array.from({ length: count }, () => 1));
    const policy = new PowerOfTwo(upstreams, { random: seededRandom(23) });
    assertProportions(countPicks(policy, upstreams, { picks: 20_000 }), upstreams.map(() => 1));
  }
});

Deno.test("PowerOfTwo.pick() compares two different upstreams, so of two it is always the less loaded", () => {
  const upstreams = upstreamsOf(1, 1);
  upstreams[0].inFlight = 1;
  const policy = new PowerOfTwo(upstreams, { random: seededRandom(29) });
  assertEquals(countPicks(policy, upstreams, { picks: 1000 }), [0, 1000]);
});

Deno.test("PowerOfTwo.pick() compares in-flight by weight", () => {
  const upstreams = upstreamsOf(4, 1);
  upstreams[0].inFlight = 3;
  upstreams[1].inFlight = 1;
  const policy = new PowerOfTwo(upstreams, { random: seededRandom(31) });
  assertStrictEquals(policy.pick(), upstreams[0]);
  upstreams[0].inFlight = 5;
  assertStrictEquals(policy.pick(), upstreams[1]);
});

Deno.test("PowerOfTwo.pick() never gives the most loaded of a pool, and finds the last two of many", () => {
  const upstreams = upstreamsOf(...Array.from({ length: 200 }, () => 1));
  upstreams[77].inFlight = 100;
  const policy = new PowerOfTwo(upstreams, { random: seededRandom(37) });
  assertEquals(countPicks(policy, upstreams, { picks: 5000 })[77], 0);
  upstreams.forEach((upstream, i) => upstream.available = i === 77 || i === 150);
  assertEquals(countPicks(policy, upstreams, { picks: 500 })[150], 500);
});

Deno.test("PowerOfTwo.pick() keeps the load of a pool close together", () => {
  const upstreams = upstreamsOf(...Array.from({ length: 50 }, () => 1));
  const policy = new PowerOfTwo(upstreams, { random: seededRandom(41) });
  for (let i = 0; i < 5000; i++) {
    const picked = policy.pick();
    if (picked !== undefined) picked.inFlight++;
  }
  const loads = upstreams.map((upstream) => upstream.inFlight);
  assertLess(Math.max(...loads) - Math.min(...loads), 10);
});
