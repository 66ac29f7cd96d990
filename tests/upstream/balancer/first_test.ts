// @ts-types="../../../types/std/assert.d.ts"
import { assertStrictEquals } from "@std/assert";
import { First } from "../../../lib/upstream/balancer/first.ts";
import { policyContract, upstreamsOf } from "../../contract/policy_contract.ts";

policyContract("First", (upstreams, options) => new First(upstreams, options), { spread: "none", joint: false });

Deno.test("First.pick() gives the first available upstream in order, and goes back when it returns", () => {
  const upstreams = upstreamsOf(1, 9, 1);
  const policy = new First(upstreams);
  assertStrictEquals(policy.pick(), upstreams[0]);
  upstreams[0].available = false;
  assertStrictEquals(policy.pick(), upstreams[1]);
  assertStrictEquals(policy.pick(undefined, [upstreams[1]]), upstreams[2]);
  upstreams[0].available = true;
  assertStrictEquals(policy.pick(), upstreams[0]);
});
