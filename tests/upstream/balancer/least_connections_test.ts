// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertStrictEquals } from "@std/assert";
import { LeastConnections } from "../../../lib/upstream/balancer/least_connections.ts";
import { policyContract, upstreamsOf } from "../../contract/policy_contract.ts";
import { seededRandom } from "../../contract/seeded_random.ts";

policyContract("LeastConnections", (upstreams, options) => new LeastConnections(upstreams, options), {
  spread: "weighted",
  joint: false,
});

Deno.test("LeastConnections.pick() gives the upstream with the fewest attempts in flight", () => {
  const upstreams = upstreamsOf(1, 1, 1);
  [4, 2, 3].forEach((inFlight, i) => upstreams[i].inFlight = inFlight);
  const policy = new LeastConnections(upstreams);
  assertStrictEquals(policy.pick(), upstreams[1]);
  upstreams[1].available = false;
  assertStrictEquals(policy.pick(), upstreams[2]);
  assertStrictEquals(policy.pick(undefined, [upstreams[2]]), upstreams[0]);
});

Deno.test("LeastConnections.pick() compares in-flight by weight without rounding", () => {
  const upstreams = upstreamsOf(3, 1);
  const policy = new LeastConnections(upstreams);
  upstreams[0].inFlight = 5;
  upstreams[1].inFlight = 2;
  assertStrictEquals(policy.pick(), upstreams[0]);
  upstreams[0].inFlight = 7;
  assertStrictEquals(policy.pick(), upstreams[1]);
});

Deno.test("LeastConnections.pick() holds attempts in proportion to the weights under load", () => {
  const upstreams = upstreamsOf(6, 3, 1);
  const policy = new LeastConnections(upstreams, { random: seededRandom(5) });
  for (let i = 0; i < 100; i++) {
    const picked = policy.pick();
    if (picked !== undefined) picked.inFlight++;
  }
  assertEquals(upstreams.map((upstream) => upstream.inFlight), [60, 30, 10]);
});
