// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import { createPolicy, isPolicyName, POLICIES } from "../../../lib/upstream/balancer/registry.ts";
import { upstreamsOf } from "../../contract/policy_contract.ts";

Deno.test("createPolicy() makes every policy by its name", () => {
  const upstreams = upstreamsOf(1, 1);
  upstreams[0].available = false;
  for (const name of Object.keys(POLICIES)) {
    assert(isPolicyName(name));
    assertStrictEquals(createPolicy(name, upstreams).pick(), upstreams[1], name);
  }
});

Deno.test("createPolicy() names the policies that there are when it does not know one", () => {
  assertThrows(() => createPolicy("fastest", []), RangeError, 'method is "fastest", expected one of round_robin');
});

Deno.test("isPolicyName() is not fooled by names that every object has", () => {
  assertFalse(isPolicyName("constructor"));
  assertFalse(isPolicyName("__proto__"));
  assertThrows(() => createPolicy("toString", []), RangeError);
});

Deno.test("policies draw their own random numbers and fields when they are given none", () => {
  const upstreams = upstreamsOf(2, 1, 1);
  for (const name of Object.keys(POLICIES)) {
    for (let i = 0; i < 20; i++) assert(upstreams.includes(createPolicy(name, upstreams).pick() ?? upstreamsOf(1)[0]));
  }
});

Deno.test("createPolicy() makes a cookie's fallback, but no cookie for a cookie", () => {
  const upstreams = upstreamsOf(1, 1, 1);
  const policy = createPolicy("cookie", upstreams, { settings: { cookie: { fallback: "first" } } });
  for (let i = 0; i < 5; i++) assertStrictEquals(policy.pick(), upstreams[0]);
  for (const fallback of ["cookie", "fastest"]) {
    assertThrows(() => createPolicy("cookie", upstreams, { settings: { cookie: { fallback } } }), RangeError);
  }
});
