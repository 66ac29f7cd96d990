// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertStrictEquals } from "@std/assert";
import { HeaderHash } from "../../../lib/upstream/balancer/header_hash.ts";
import {
  assertProportions,
  countPicks,
  policyContract,
  requestOf,
  upstreamsOf,
} from "../../contract/policy_contract.ts";
import { seededRandom } from "../../contract/seeded_random.ts";

const settings = { header: "X-Tenant" };

policyContract("HeaderHash", (upstreams, options) => new HeaderHash(upstreams, { ...options, settings }), {
  spread: "weighted",
  joint: false,
  request: (seed) => requestOf({ headers: ["host", "a.test", "x-tenant", `tenant ${seed}`] }),
});

Deno.test("HeaderHash.pick() goes by the value of the header, whose name is compared without case", () => {
  const policy = new HeaderHash(upstreamsOf(...Array.from({ length: 50 }, () => 1)), { settings });
  const homes = new Set<string | undefined>();
  for (let i = 0; i < 100; i++) {
    const home = policy.pick(requestOf({ headers: ["x-tenant", `t${i}`] }))?.id;
    homes.add(home);
    const other = requestOf({ headers: ["x-other", "t", "X-TENANT", `t${i}`, "x-tenant", "second"], path: `/${i}` });
    assertStrictEquals(policy.pick(other)?.id, home);
  }
  assert(homes.size > 30);
});

Deno.test("HeaderHash.pick() spreads requests without a value by weight", () => {
  const pool = upstreamsOf(3, 1);
  for (const headers of [[], ["x-tenant", ""], ["x-tenants", "a"], ["x-tenan", "a"]]) {
    const policy = new HeaderHash(pool, { settings, random: seededRandom(61) });
    assertProportions(countPicks(policy, pool, { picks: 10_000, request: () => requestOf({ headers }) }), [3, 1]);
  }
  const unkeyed = new HeaderHash(pool, { random: seededRandom(67) });
  assertProportions(countPicks(unkeyed, pool, { picks: 10_000, request: () => requestOf({}) }), [3, 1]);
});
