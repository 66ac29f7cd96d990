// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertStrictEquals } from "@std/assert";
import { UriHash } from "../../../lib/upstream/balancer/uri_hash.ts";
import { policyContract, requestOf, upstreamsOf } from "../../contract/policy_contract.ts";

policyContract("UriHash", (upstreams, options) => new UriHash(upstreams, options), {
  spread: "weighted",
  joint: false,
  request: (seed) => requestOf({ path: `/assets/${seed}.css` }),
});

const upstreams = upstreamsOf(...Array.from({ length: 50 }, () => 1));

Deno.test("UriHash.pick() goes by the path, and by nothing else", () => {
  const policy = new UriHash(upstreams);
  const homes = new Set<string | undefined>();
  for (let i = 0; i < 100; i++) {
    const path = `/users/${i}`;
    const home = policy.pick(requestOf({ path }))?.id;
    homes.add(home);
    const other = requestOf({ path, query: `?${i}`, headers: ["cookie", String(i)], clientAddress: `10.0.0.${i}` });
    assertStrictEquals(policy.pick(other)?.id, home);
  }
  assert(homes.size > 30);
});

Deno.test("UriHash.pick() distinguishes queries with include_query", () => {
  const policy = new UriHash(upstreams, { settings: { include_query: true } });
  const homes = new Set(
    Array.from({ length: 100 }, (_, i) => policy.pick(requestOf({ path: "/search", query: `?q=${i}` }))),
  );
  assert(homes.size > 30);
  const without = new UriHash(upstreams);
  assertStrictEquals(policy.pick(requestOf({ path: "/a" })), without.pick(requestOf({ path: "/a" })));
});
