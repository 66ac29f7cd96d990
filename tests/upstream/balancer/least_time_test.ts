// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { LeastTime } from "../../../lib/upstream/balancer/least_time.ts";
import { assertProportions, countPicks, policyContract, upstreamsOf } from "../../contract/policy_contract.ts";
import { seededRandom } from "../../contract/seeded_random.ts";

// Of upstreams that nothing is known of, which all equal each other.
policyContract("LeastTime", (upstreams, options) => new LeastTime(upstreams, options), {
  spread: "weighted",
  joint: false,
});

Deno.test("LeastTime.pick() gives the upstream with the smallest latency × (in-flight + 1) / weight", () => {
  const upstreams = upstreamsOf(1, 1, 2);
  [10, 25, 30].forEach((latencyMs, i) => upstreams[i].latencyMs = latencyMs);
  const policy = new LeastTime(upstreams);
  assertStrictEquals(policy.pick(), upstreams[0]);
  upstreams[0].inFlight = 1;
  assertStrictEquals(policy.pick(), upstreams[2]);
  upstreams[2].inFlight = 1;
  assertStrictEquals(policy.pick(), upstreams[0]);
  upstreams[0].inFlight = 2;
  assertStrictEquals(policy.pick(), upstreams[1]);
  upstreams[1].available = false;
  upstreams[2].inFlight = 0;
  assertStrictEquals(policy.pick(undefined, [upstreams[0]]), upstreams[2]);
});

Deno.test("LeastTime.pick() draws by weight between upstreams that would take the same time", () => {
  const upstreams = upstreamsOf(1, 1, 3);
  [5, 5, 15].forEach((latencyMs, i) => upstreams[i].latencyMs = latencyMs);
  const policy = new LeastTime(upstreams, { random: seededRandom(3) });
  assertProportions(countPicks(policy, upstreams, { picks: 10_000 }), [1, 1, 3]);
});

Deno.test("LeastTime.pick() tries an upstream without a sample at once, with one attempt until it responds", () => {
  const upstreams = upstreamsOf(1, 1, 1);
  upstreams[0].latencyMs = 1;
  upstreams[1].latencyMs = 2;
  const policy = new LeastTime(upstreams, { random: seededRandom(3) });
  for (let i = 0; i < 500; i++) {
    const picked = policy.pick();
    if (picked !== undefined) picked.inFlight++;
  }
  assertEquals(upstreams[2].inFlight, 1);
  assertLess(Math.abs(upstreams[0].inFlight - 2 * upstreams[1].inFlight), 3);
  upstreams[2].latencyMs = 1;
  assertStrictEquals(policy.pick(), upstreams[2]);
});

Deno.test("LeastTime.pick() spreads by load and weight while no upstream has responded", () => {
  const upstreams = upstreamsOf(1, 2, 1);
  const policy = new LeastTime(upstreams, { random: seededRandom(3) });
  for (let i = 0; i < 400; i++) {
    const picked = policy.pick();
    if (picked !== undefined) picked.inFlight++;
  }
  const loads = upstreams.map(({ inFlight }) => inFlight);
  [100, 200, 100].forEach((expected, i) => assertLess(Math.abs(loads[i] - expected), 3));
});

Deno.test("LeastTime.pick() finds out that an upstream has become slow, and that it is quick again", () => {
  // Upstreams that take `speed` ms for an answer; one request begins each millisecond; a latency fades without samples
  const upstreams = upstreamsOf(1, 1);
  const speed = [4, 4];
  const policy = new LeastTime(upstreams, { random: seededRandom(3) });
  const underWay: { upstream: number; endMs: number }[] = [];
  let picked = [0, 0];
  const run = (fromMs: number, toMs: number) => {
    picked = [0, 0];
    for (let nowMs = fromMs; nowMs < toMs; nowMs++) {
      for (const done of underWay.filter(({ endMs }) => endMs === nowMs)) {
        underWay.splice(underWay.indexOf(done), 1);
        upstreams[done.upstream].inFlight--;
        upstreams[done.upstream].latencyMs = speed[done.upstream];
      }
      for (const upstream of upstreams) upstream.latencyMs *= 0.997;
      const upstream = policy.pick() === upstreams[0] ? 0 : 1;
      upstreams[upstream].inFlight++;
      underWay.push({ upstream, endMs: nowMs + speed[upstream] });
      picked[upstream]++;
    }
  };
  run(0, 1000);
  assertLess(Math.abs(picked[0] - picked[1]), 300);
  speed[0] = 40;
  run(1000, 2000);
  assertLess(picked[0], 150);
  speed[0] = 4;
  run(2000, 3000);
  assertLess(300, picked[0]);
});
