// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { LeastConnections } from "../../../lib/upstream/balancer/least_connections.ts";
import { MAX_COMPARED, SmallestScore } from "../../../lib/upstream/balancer/smallest_score.ts";
import { assertProportions, countPicks, type TestUpstream, upstreamsOf } from "../../contract/policy_contract.ts";
import { choose, seededRandom } from "../../contract/seeded_random.ts";

const WEIGHTS = Array.from({ length: 1000 }, (_, i) => 1 + i % 4);

Deno.test(`SmallestScore.pick() is exact in a pool of up to ${MAX_COMPARED}`, () => {
  const random = seededRandom(43);
  const upstreams = upstreamsOf(...WEIGHTS.slice(0, MAX_COMPARED));
  const score = ({ inFlight, weight }: TestUpstream) => inFlight / weight;
  const least = new SmallestScore(upstreams, score, random);
  for (let i = 0; i < 2000; i++) {
    choose(random, upstreams).inFlight = Math.floor(random() * 50);
    const flipped = choose(random, upstreams);
    flipped.available = !flipped.available;
    const picked = least.pick();
    const best = Math.min(...upstreams.filter(({ available }) => available).map(score));
    assert(picked !== undefined && picked.available);
    assertStrictEquals(score(picked), best);
  }
});

Deno.test("SmallestScore.pick() knows equal loads of different weights for equal", () => {
  const upstreams = upstreamsOf(3, 15, 49, 7);
  [1, 5, 147, 21].forEach((inFlight, i) => upstreams[i].inFlight = inFlight);
  const least = new SmallestScore(upstreams, ({ inFlight, weight }) => inFlight / weight, seededRandom(47));
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 18_000; i++) counts[upstreams.indexOf(least.pick() ?? upstreams[3])]++;
  assertProportions(counts, [3, 15, 0, 0]);
});

Deno.test("LeastConnections.pick() keeps the loads of a very large pool close together, by weight", () => {
  const upstreams = upstreamsOf(...WEIGHTS);
  const policy = new LeastConnections(upstreams, { random: seededRandom(53) });
  for (let i = 0; i < 25_000; i++) {
    const picked = policy.pick();
    if (picked !== undefined) picked.inFlight++;
  }
  // The mean is 10 for each unit of weight
  for (const { inFlight, weight } of upstreams) assertLessOrEqual(inFlight, 11 * weight + 1);
});

Deno.test("LeastConnections.pick() respects the weights of a very large idle pool, and of one of which half is gone", () => {
  const upstreams = upstreamsOf(...WEIGHTS);
  const policy = new LeastConnections(upstreams, { random: seededRandom(59) });
  assertProportions(countPicks(policy, upstreams, { picks: 100_000 }), WEIGHTS);
  upstreams.forEach((upstream, i) => upstream.available = i % 3 > 0);
  assertProportions(
    countPicks(policy, upstreams, { picks: 100_000 }),
    WEIGHTS.map((weight, i) => i % 3 > 0 ? weight : 0),
  );
});

Deno.test("LeastConnections.pick() never gives a very loaded upstream of a very large pool, and finds the only one left", () => {
  const upstreams = upstreamsOf(...WEIGHTS);
  upstreams.forEach((upstream, i) => upstream.inFlight = i < 300 ? 1000 : 1);
  const policy = new LeastConnections(upstreams, { random: seededRandom(61) });
  const counts = countPicks(policy, upstreams, { picks: 10_000 });
  assertEquals(counts.slice(0, 300).reduce((sum, count) => sum + count, 0), 0);
  upstreams.forEach((upstream, i) => upstream.available = i === 123);
  assertLess(0, countPicks(policy, upstreams, { picks: 100 })[123]);
});

Deno.test("LeastConnections.pick() compares all that are left of a very large pool when they are few", () => {
  const upstreams = upstreamsOf(...WEIGHTS);
  upstreams.forEach((upstream, i) => upstream.available = i % 50 === 0);
  upstreams[500].inFlight = 1000;
  const policy = new LeastConnections(upstreams, { random: seededRandom(67) });
  assertEquals(countPicks(policy, upstreams, { picks: 5000 })[500], 0);
});
