// @ts-types="../../../types/std/assert.d.ts"
import { assertStrictEquals } from "@std/assert";
import { Weighted } from "../../../lib/upstream/balancer/weighted.ts";
import { assertProportions, countPicks, policyContract, upstreamsOf } from "../../contract/policy_contract.ts";
import { seededRandom } from "../../contract/seeded_random.ts";

policyContract("Weighted", (upstreams, options) => new Weighted(upstreams, options), {
  spread: "weighted",
  joint: false,
});

Deno.test("Weighted.pick() respects weights that differ a thousandfold, and fractions", () => {
  for (const weights of [[1000, 1], [1, 1000, 1, 500], [1.5, 2.25, 1]]) {
    const upstreams = upstreamsOf(...weights);
    const policy = new Weighted(upstreams, { random: seededRandom(3) });
    assertProportions(countPicks(policy, upstreams, { picks: 300_000 }), weights);
  }
});

Deno.test("Weighted.pick() gives each upstream its exact part of the random numbers", () => {
  // An oracle without statistics: evenly spaced numbers must fall on each upstream in proportion.
  const weights = [7, 1, 4, 2, 2];
  const upstreams = upstreamsOf(...weights);
  const steps = 16_000;
  let step = 0;
  const policy = new Weighted(upstreams, { random: () => (step++ + 0.5) / steps });
  const counts = countPicks(policy, upstreams, { picks: steps });
  weights.forEach((weight, i) => assertStrictEquals(Math.round(counts[i] / (steps / 16)), weight));
});
