/**
 * The suite that every balancing policy runs: what the contract promises, and what each policy claims for itself.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import type { Candidate, Policy, PolicyFactory, PolicyRequest } from "../../lib/upstream/balancer/policy.ts";
import { PARTITIONS } from "../../lib/upstream/balancer/partition_table.ts";
import { choose, seededRandom, seedMathRandom } from "./seeded_random.ts";

// A policy that is made without random numbers of its own takes these.
seedMathRandom(1);

/** What a policy claims. */
export interface PolicyClaims {
  /** How picks spread over idle upstreams: evenly, by weight, or not at all. */
  readonly spread: "even" | "weighted" | "none";
  /** Whether policies over the same cells take one common round, exact to the pick. */
  readonly joint: boolean;
  /**
   * Makes a request for each pick from a number in [0, 1), for policies that go by requests: with many different requests
   * they spread too.
   *
   * @default {no request}
   */
  readonly request?: (seed: number) => PolicyRequest;
}

/** An upstream whose state tests set. */
export class TestUpstream implements Candidate {
  weight: number;
  available = true;
  inFlight = 0;
  latencyMs = 0;

  constructor(weight = 1, readonly id = "http://10.0.0.1:80") {
    this.weight = weight;
  }
}

/** `weights.length` upstreams, all available and idle. The same position has the same id. */
export function upstreamsOf(...weights: number[]): TestUpstream[] {
  return weights.map((weight, i) => new TestUpstream(weight, `http://10.0.${i >> 8}.${i & 255}:3000`));
}

/** A request as policies see it. */
export function requestOf(
  { path = "/", query = "", headers = [], clientAddress = "192.0.2.1", scheme = "http" }: {
    path?: string;
    query?: string;
    headers?: string[];
    clientAddress?: string;
    scheme?: "http" | "https";
  },
): PolicyRequest {
  const peer = { address: clientAddress, port: 50_000 };
  const head = { method: "GET", path, query, authority: "a.test", host: "a.test", scheme, headers, peer };
  return { head, clientAddress };
}

/** How often each of `upstreams` was picked in `picks` picks; fails if another, or none, was. */
export function countPicks<C extends Candidate>(
  policy: Policy<C>,
  upstreams: readonly C[],
  options: { picks: number; avoid?: readonly C[]; request?: PolicyClaims["request"] },
): number[] {
  const counts = upstreams.map(() => 0);
  const random = seededRandom(options.picks);
  for (let i = 0; i < options.picks; i++) {
    const picked = policy.pick(options.request?.(random()), options.avoid);
    assert(picked !== undefined, "expected a pick");
    const index = upstreams.indexOf(picked);
    assert(index >= 0, "picked an upstream that is not of the pool");
    counts[index]++;
  }
  return counts;
}

/**
 * Fails if `counts` are further from the proportions of `weights` than chance explains: chi-square beyond about four and
 * a half standard deviations of its mean. Random numbers are seeded, so the verdict is always the same.
 *
 * @param keyed Whether picks went by keys. The partitions that keys fall into are themselves a sample of the weights, which adds
 * its variance to that of the picks.
 */
export function assertProportions(counts: readonly number[], weights: readonly number[], keyed = false): void {
  const picks = counts.reduce((sum, count) => sum + count, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let chiSquare = 0;
  counts.forEach((count, i) => {
    if (weights[i] === 0) return assertEquals(count, 0);
    const expected = picks * weights[i] / total;
    chiSquare += (count - expected) ** 2 / expected;
  });
  const freedom = weights.filter((weight) => weight > 0).length - 1;
  const noise = keyed ? 1 + picks / PARTITIONS : 1;
  assertLess(
    chiSquare,
    noise * (freedom + 4.5 * Math.sqrt(2 * freedom) + 4),
    `counts ${counts} for weights ${weights}`,
  );
}

/** Registers the suite for one policy. */
export function policyContract(name: string, create: PolicyFactory, claims: PolicyClaims): void {
  const make = (upstreams: readonly TestUpstream[], seed = 7) => create(upstreams, { random: seededRandom(seed) });
  const { request } = claims;

  Deno.test(`${name}.pick() gives undefined for a pool without upstreams`, () => {
    assertStrictEquals(make([]).pick(), undefined);
    assertStrictEquals(make([]).pick(undefined, []), undefined);
  });

  Deno.test(`${name}.pick() gives the only upstream, while it is available`, () => {
    const upstreams = upstreamsOf(3);
    const policy = make(upstreams);
    assertEquals(countPicks(policy, upstreams, { picks: 100, request }), [100]);
    upstreams[0].available = false;
    assertStrictEquals(policy.pick(), undefined);
    upstreams[0].available = true;
    assertStrictEquals(policy.pick(), upstreams[0]);
    assertStrictEquals(policy.pick(undefined, [upstreams[0]]), undefined);
  });

  Deno.test(`${name}.pick() gives undefined when no upstream is available`, () => {
    const upstreams = upstreamsOf(5, 1, 2);
    for (const upstream of upstreams) upstream.available = false;
    const policy = make(upstreams);
    for (let i = 0; i < 100; i++) assertStrictEquals(policy.pick(), undefined);
  });

  Deno.test(`${name}.pick() never gives an upstream that is not available, and always one that is`, () => {
    for (let up = 0; up < 40; up += 3) {
      const upstreams = upstreamsOf(...Array.from({ length: 40 }, (_, i) => 1 + i % 7));
      for (const upstream of upstreams) upstream.available = false;
      upstreams[up].available = true;
      const counts = countPicks(make(upstreams), upstreams, { picks: 50, request });
      assertEquals(counts[up], 50);
    }
  });

  Deno.test(`${name}.pick() never gives an upstream to avoid`, () => {
    const upstreams = upstreamsOf(5, 1, 2, 1);
    const policy = make(upstreams);
    const counts = countPicks(policy, upstreams, { picks: 1000, avoid: [upstreams[0], upstreams[2]], request });
    assertEquals([counts[0], counts[2]], [0, 0]);
    assertStrictEquals(policy.pick(undefined, upstreams), undefined);
    upstreams[1].available = false;
    assertStrictEquals(policy.pick(undefined, [upstreams[0], upstreams[2]]), upstreams[3]);
  });

  Deno.test(`${name}.pick() ignores upstreams to avoid that are not of the pool, and an empty list`, () => {
    const upstreams = upstreamsOf(1, 1);
    const policy = make(upstreams);
    countPicks(policy, upstreams, { picks: 10, avoid: [], request });
    countPicks(policy, upstreams, { picks: 10, avoid: [new TestUpstream()], request });
  });

  Deno.test(`${name}.update() adds and removes upstreams`, () => {
    const [a, b, c] = upstreamsOf(1, 1, 1);
    const policy = make([a, b]);
    countPicks(policy, [a, b], { picks: 101, request });
    policy.update([b, c]);
    countPicks(policy, [b, c], { picks: 101, request });
    policy.update([c]);
    assertEquals(countPicks(policy, [c], { picks: 10, request }), [10]);
    policy.update([]);
    assertStrictEquals(policy.pick(), undefined);
    policy.update([a, b, c]);
    countPicks(policy, [a, b, c], { picks: 101, request });
  });

  Deno.test(`${name} keeps its own list of upstreams`, () => {
    const upstreams = upstreamsOf(1, 1);
    const list = [...upstreams];
    const policy = make(list);
    list.length = 0;
    countPicks(policy, upstreams, { picks: 10, request });
    list.push(...upstreams);
    policy.update(list);
    list.length = 0;
    countPicks(policy, upstreams, { picks: 10, request });
  });

  Deno.test(`${name}.pick() is right while availability, load and avoidance change at random`, () => {
    const random = seededRandom(11);
    const upstreams = upstreamsOf(1, 2, 3, 1, 8, 1, 1);
    const policy = make(upstreams);
    for (let i = 0; i < 100_000; i++) {
      const flipped = choose(random, upstreams);
      flipped.available = !flipped.available;
      choose(random, upstreams).inFlight = Math.floor(random() * 10);
      const avoid = random() < 0.3 ? upstreams.filter(() => random() < 0.4) : undefined;
      const picked = policy.pick(request?.(random()), avoid);
      const open = upstreams.filter((upstream) => upstream.available && !avoid?.includes(upstream));
      if (picked === undefined) assertEquals(open.length, 0, `pick ${i} gave none`);
      else assert(open.includes(picked), `pick ${i} gave an upstream that is closed`);
    }
  });

  Deno.test(`${name}.pick() gives only what it has seen to be available, when each look may differ`, () => {
    const random = seededRandom(13);
    class Flickering implements Candidate {
      readonly inFlight = 0;
      readonly latencyMs = 0;
      seen = false;
      constructor(readonly weight: number, readonly id: string) {}
      get available(): boolean {
        return this.seen = random() < 0.5;
      }
    }
    const upstreams = [new Flickering(1, "a"), new Flickering(4, "b"), new Flickering(1, "c")];
    const policy = create(upstreams, { random: seededRandom(7) });
    for (let i = 0; i < 10_000; i++) {
      const picked = policy.pick(request?.(random()));
      assert(picked === undefined || picked.seen);
    }
  });

  if (claims.spread !== "none") spreadContract(name, create, claims);
  if (claims.joint) jointContract(name, create);
}

function spreadContract(name: string, create: PolicyFactory, { spread, request }: PolicyClaims): void {
  const make = (upstreams: readonly TestUpstream[]) => create(upstreams, { random: seededRandom(17) });
  const share = (weight: number) => spread === "even" ? 1 : weight;
  const keyed = request !== undefined;

  Deno.test(`${name}.pick() spreads evenly over equal upstreams`, () => {
    for (const count of [2, 3, 10, 64]) {
      const upstreams = upstreamsOf(...Array.from({ length: count }, () => 1));
      assertProportions(
        countPicks(make(upstreams), upstreams, { picks: count * 1000, request }),
        upstreams.map(() => 1),
        keyed,
      );
    }
  });

  Deno.test(`${name}.pick() ${spread === "even" ? "ignores the weights" : "respects the weights"}`, () => {
    for (const weights of [[3, 1], [1, 3], [5, 1, 1], [10, 20, 70], [1, 2, 3, 4, 5, 6, 7, 8]]) {
      const upstreams = upstreamsOf(...weights);
      assertProportions(countPicks(make(upstreams), upstreams, { picks: 30_000, request }), weights.map(share), keyed);
    }
  });

  Deno.test(`${name}.pick() keeps the proportions of the others when some are not available`, () => {
    const weights = [4, 1, 2, 6, 1, 3];
    for (const down of [[0], [1, 2], [3, 4, 5], [0, 2, 3, 5]]) {
      const upstreams = upstreamsOf(...weights);
      for (const index of down) upstreams[index].available = false;
      const counts = countPicks(make(upstreams), upstreams, { picks: 30_000, request });
      assertProportions(counts, weights.map((weight, i) => down.includes(i) ? 0 : share(weight)), keyed);
    }
  });

  Deno.test(`${name}.pick() keeps the proportions of the others when some are avoided`, () => {
    const weights = [4, 1, 2, 6];
    const upstreams = upstreamsOf(...weights);
    const counts = countPicks(make(upstreams), upstreams, {
      picks: 30_000,
      avoid: [upstreams[1], upstreams[3]],
      request,
    });
    assertProportions(counts, [share(4), 0, share(2), 0], keyed);
  });

  Deno.test(`${name}.pick() keeps the proportions in a large pool of which little is left`, () => {
    const weights = Array.from({ length: 300 }, (_, i) => 1 + i % 5);
    const upstreams = upstreamsOf(...weights);
    upstreams.forEach((upstream, i) => upstream.available = i % 50 < 2);
    const counts = countPicks(make(upstreams), upstreams, { picks: 20_000, request });
    assertProportions(counts, upstreams.map((upstream) => upstream.available ? share(upstream.weight) : 0), keyed);
  });
}

function jointContract(name: string, create: PolicyFactory): void {
  Deno.test(`${name} policies over the same shared cells take one common round`, () => {
    let shared: Int32Array | undefined;
    const takeFields = (count: number) => shared ??= new Int32Array(new SharedArrayBuffer(4 * count));
    const upstreams = upstreamsOf(5, 1, 1, 2);
    const random = seededRandom(19);
    const policies = [create(upstreams, { takeFields, random }), create(upstreams, { takeFields, random })];
    const alone = create(upstreams, { random });
    for (let i = 0; i < 10_000; i++) assertStrictEquals(choose(random, policies).pick(), alone.pick());
  });

  Deno.test(`${name}.pick() goes on when its counter overflows`, () => {
    const cells = new Int32Array(2).fill(0x7fff_fff0);
    const upstreams = upstreamsOf(2, 1, 1);
    const policy = create(upstreams, { takeFields: () => cells });
    countPicks(policy, upstreams, { picks: 100 });
    cells.fill(-50);
    countPicks(policy, upstreams, { picks: 100 });
    upstreams[0].available = false;
    cells.fill(0x7fff_fff0);
    countPicks(policy, upstreams, { picks: 100 });
    cells.fill(-50);
    countPicks(policy, upstreams, { picks: 100 });
  });
}
