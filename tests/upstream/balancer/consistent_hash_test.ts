// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { ConsistentHash } from "../../../lib/upstream/balancer/consistent_hash.ts";
import { FREE_IN_FLIGHT } from "../../../lib/upstream/balancer/load_bound.ts";
import { mix } from "../../../lib/upstream/balancer/string_hash.ts";
import { assertProportions, type TestUpstream, upstreamsOf } from "../../contract/policy_contract.ts";
import { choose, seededRandom, testSeed } from "../../contract/seeded_random.ts";

const KEYS = 20_000;

function homes(hash: ConsistentHash<TestUpstream>, avoid?: TestUpstream[]): (TestUpstream | undefined)[] {
  return Array.from({ length: KEYS }, (_, key) => hash.pick(mix(key), avoid));
}

function counts(homes: readonly (TestUpstream | undefined)[], upstreams: readonly TestUpstream[]): number[] {
  return upstreams.map((upstream) => homes.filter((home) => home === upstream).length);
}

const WAYS_TO_GO: Record<
  string,
  (hash: ConsistentHash<TestUpstream>, all: TestUpstream[], gone: TestUpstream) => void
> = {
  "is not available": (_hash, _all, gone) => gone.available = false,
  "leaves the pool": (hash, all, gone) => hash.update(all.filter((upstream) => upstream !== gone)),
};

for (const [way, go] of Object.entries(WAYS_TO_GO)) {
  Deno.test(`ConsistentHash moves the keys of an upstream that ${way}, no others, by weight, and back again`, () => {
    for (
      const weights of [
        [1, 1],
        [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        [4, 1, 1, 2],
        Array.from({ length: 200 }, () => 1),
      ]
    ) {
      const upstreams = upstreamsOf(...weights);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const hash = new ConsistentHash(upstreams);
      const before = homes(hash);
      for (const gone of upstreams.slice(0, 5)) {
        go(hash, upstreams, gone);
        const without = homes(hash);
        const moved = without.filter((home, key) => home !== before[key]);
        assertEquals(moved.length, counts(before, [gone])[0], "its keys, and no others");
        assertLess(moved.length, 1.5 * KEYS * gone.weight / total + 20, "about 1/n of the keys");
        const substitutes = upstreams.filter((upstream) => upstream !== gone);
        if (weights.length <= 10) {
          assertProportions(counts(moved, substitutes), substitutes.map(({ weight }) => weight), true);
        }
        gone.available = true;
        hash.update(upstreams);
        assertEquals(counts(homes(hash).filter((home, key) => home !== before[key]), upstreams), weights.map(() => 0));
      }
    }
  });
}

Deno.test("ConsistentHash.pick() moves the same keys for upstreams to avoid as for those that are not available", () => {
  const upstreams = upstreamsOf(2, 1, 1, 3, 1);
  const hash = new ConsistentHash(upstreams);
  const avoided = homes(hash, [upstreams[0], upstreams[3]]);
  upstreams[0].available = upstreams[3].available = false;
  const dead = homes(hash);
  assert(avoided.every((home, key) => home === dead[key]));
});

Deno.test("ConsistentHash.pick() keeps keys in place while upstreams around them come and go at random", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const upstreams = upstreamsOf(...Array.from({ length: 60 }, (_, i) => 1 + i % 3));
  const hash = new ConsistentHash(upstreams);
  let before = homes(hash);
  for (let round = 0; round < 40; round++) {
    // At times so few are left that guesses fail and all are compared
    const changed = random() < 0.3 ? upstreams.filter(() => random() < 0.9) : [choose(random, upstreams)];
    const available = random() < 0.5;
    const flipped = changed.filter((upstream) => upstream.available !== available);
    for (const upstream of flipped) upstream.available = available;
    const after = homes(hash);
    after.forEach((home, key) => {
      const was = before[key];
      if (home === was) return;
      if (available) assert(home !== undefined && flipped.includes(home), `BWS_TEST_SEED=${seed}: to who came`);
      else assert(was !== undefined && flipped.includes(was), `BWS_TEST_SEED=${seed}: from who left`);
    });
    before = after;
  }
});

Deno.test("ConsistentHash.pick() keeps an upstream below its share of the load, when all requests have one key", () => {
  for (const factor of [1, 1.1, 1.25, 2, 3]) {
    for (const weights of [[1, 1, 1], [5, 1, 2, 1], Array.from({ length: 32 }, () => 1)]) {
      const upstreams = upstreamsOf(...weights);
      const hash = new ConsistentHash(upstreams, factor);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const loads = () => upstreams.map(({ inFlight }) => inFlight);
      const home = hash.pick(mix(7));
      for (let all = 1; all <= 1000; all++) {
        const picked = hash.pick(mix(7));
        assert(picked !== undefined);
        picked.inFlight++;
        const bound = Math.max(FREE_IN_FLIGHT, Math.ceil(factor * all * picked.weight / total - 1e-9));
        assertLessOrEqual(picked.inFlight, bound, `factor ${factor}, in flight ${loads()} of ${weights}`);
      }
      assert(home !== undefined);
      const share = Math.min(1, factor * home.weight / total);
      assertLess(Math.abs(home.inFlight - 1000 * share), 3, "the key's own upstream is filled to the bound");
      for (const upstream of upstreams) upstream.inFlight = 0;
      assertStrictEquals(hash.pick(mix(7)), home, "the key comes home");
    }
  }
});

Deno.test("ConsistentHash.pick() follows the load of a large pool closely enough", () => {
  const upstreams = upstreamsOf(...Array.from({ length: 1000 }, () => 1));
  const hash = new ConsistentHash(upstreams);
  const random = seededRandom(3);
  for (let i = 0; i < 50_000; i++) {
    const picked = hash.pick(mix(random() < 0.3 ? 1 : Math.floor(random() * 1e9)));
    if (picked !== undefined) picked.inFlight++;
  }
  // The mean is 50, the bound 63; the counts that it goes by are up to 32 picks old
  assertLessOrEqual(Math.max(...upstreams.map(({ inFlight }) => inFlight)), 64);
});

Deno.test("ConsistentHash.pick() does not bound the load with a factor of 0, nor a quiet pool", () => {
  const upstreams = upstreamsOf(1, 1, 1, 1);
  const unbounded = new ConsistentHash(upstreams, 0);
  const bounded = new ConsistentHash(upstreams, 1.25);
  const home = unbounded.pick(mix(1));
  assert(home !== undefined);
  home.inFlight = FREE_IN_FLIGHT - 1;
  assertStrictEquals(bounded.pick(mix(1)), home);
  home.inFlight = 1000;
  assertStrictEquals(unbounded.pick(mix(1)), home);
  assert(bounded.pick(mix(1)) !== home);
});

Deno.test("ConsistentHash.pick() shares the load of upstreams that are gone, instead of holding all below the bound", () => {
  const upstreams = upstreamsOf(1, 1, 1, 1);
  upstreams[0].available = upstreams[1].available = false;
  const hash = new ConsistentHash(upstreams);
  for (let i = 0; i < 100; i++) {
    const picked = hash.pick(mix(5));
    if (picked !== undefined) picked.inFlight++;
  }
  const loads = [upstreams[2].inFlight, upstreams[3].inFlight].sort();
  // The bound is 1.25 times 50 at the end, and the key's own upstream is at it
  assertEquals(loads, [37, 63]);
});

Deno.test("ConsistentHash.pick() prefers an upstream over the bound to none", () => {
  const upstreams = upstreamsOf(1, 1);
  upstreams[0].inFlight = 500;
  const hash = new ConsistentHash(upstreams);
  for (let key = 0; key < 100; key++) assertStrictEquals(hash.pick(mix(key), [upstreams[1]]), upstreams[0]);
});
