// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { IpHash } from "../../../lib/upstream/balancer/ip_hash.ts";
import {
  assertProportions,
  countPicks,
  policyContract,
  requestOf,
  upstreamsOf,
} from "../../contract/policy_contract.ts";
import { seededRandom } from "../../contract/seeded_random.ts";

/** A client's request, from a number in [0, 1). */
function clientOf(seed: number) {
  const number = Math.floor(seed * 0x1_0000_0000);
  const address = [24, 16, 8, 0].map((shift) => number >>> shift & 255).join(".");
  return requestOf({ clientAddress: address });
}

policyContract("IpHash", (upstreams, options) => new IpHash(upstreams, options), {
  spread: "weighted",
  joint: false,
  request: clientOf,
});

const upstreams = upstreamsOf(...Array.from({ length: 50 }, () => 1));
const policy = new IpHash(upstreams);
const homeOf = (clientAddress: string) => policy.pick(requestOf({ clientAddress }))?.id;

Deno.test("IpHash.pick() gives a client one upstream, whatever it asks for", () => {
  for (let i = 0; i < 200; i++) {
    const clientAddress = `203.0.113.${i}`;
    for (const path of ["/", "/a", "/b?c"]) {
      assertStrictEquals(policy.pick(requestOf({ clientAddress, path }))?.id, homeOf(clientAddress));
    }
  }
});

Deno.test("IpHash.pick() takes an IPv6 network of 64 bits for one client, in any notation", () => {
  const home = homeOf("2001:db8:0:7::1");
  const same = ["2001:DB8:0:7::2", "2001:0db8:0:0007:1:2:3:4", "2001:db8:0:7:ffff::", "[2001:db8::7:0:0:0:1]"];
  assertEquals(same.map(homeOf), same.map(() => home));
  const others = new Set(Array.from({ length: 20 }, (_, i) => homeOf(`2001:db8:0:${i.toString(16)}::1`)));
  assert(others.size > 10, "neighbouring networks are other clients");
});

Deno.test("IpHash.pick() takes an IPv4 client for the same in IPv6 form", () => {
  const forms = ["::ffff:192.0.2.77", "::ffff:c000:24d", "0:0:0:0:0:ffff:c000:024d"];
  assertEquals(forms.map(homeOf), forms.map(() => homeOf("192.0.2.77")));
  const others = new Set(
    Array.from({ length: 20 }, (_, i) => homeOf(`::ffff:c000:2${i.toString(16).padStart(2, "0")}`)),
  );
  assert(others.size > 10);
});

Deno.test("IpHash.pick() spreads clients without an address, and requests that it does not see, by weight", () => {
  const pool = upstreamsOf(3, 1);
  const alone = new IpHash(pool, { random: seededRandom(71) });
  const nobody = () => requestOf({ clientAddress: "" });
  assertProportions(countPicks(alone, pool, { picks: 10_000, request: nobody }), [3, 1]);
  assertProportions(countPicks(alone, pool, { picks: 10_000 }), [3, 1]);
});

Deno.test("IpHash.pick() takes a text that is no address for a key", () => {
  for (const odd of ["unknown", "1:2", ":::", "fe80::1%eth0", "::", "x".repeat(10_000)]) {
    assert(homeOf(odd) !== undefined);
    assertStrictEquals(homeOf(odd), homeOf(odd));
  }
});
