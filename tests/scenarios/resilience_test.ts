// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess } from "@std/assert";
import { until } from "../support/condition.ts";
import { type Fault, FaultyUpstream } from "../support/faulty_upstream.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { failed, misdone, SteadyLoad } from "../support/steady_load.ts";

const CONNECT_MS = 500;
const READ_MS = 1000;
/** Longest wait for a GET: two silent attempts, and far more than what a busy machine adds to the third. */
const LONGEST_MS = 2 * READ_MS + 20_000;

/** Retried in full, ejected soon, tried again soon. */
const PROXY = {
  timeout: { connect: CONNECT_MS, read: READ_MS },
  retries: { retry_on: [500, 502, 503, 504] },
  passive_health: { max_fails: 3, eject_for: "300ms", max_eject_for: "600ms" },
};

const FAULTS: readonly Fault[] = ["kill", "stop", "slow", "status", "reset", "refuse", "black hole"];

const figures: string[][] = [["what befalls one of them", "upstreams", "GETs", "failed", "POSTs", "failed", "slowest"]];

interface Scene {
  upstreams: readonly FaultyUpstream[];
  load: SteadyLoad;
}

async function withScene(count: number, run: (scene: Scene) => Promise<void>): Promise<void> {
  const upstreams = await Promise.all(Array.from({ length: count }, (_, i) => FaultyUpstream.start(`u${i}`)));
  await using _ended = { [Symbol.asyncDispose]: () => ended(upstreams) };
  await using proxy = await RunningProxy.start({ upstreams: upstreams.map(({ url }) => url), proxy: timed() });
  await using load = new SteadyLoad(proxy.port, { gets: 150, posts: 50 });
  await load.more(50);
  await run({ upstreams, load });
  await load.stop();
  assertEquals(misdone(load.outcomes, upstreams.map(({ done }) => done)), []);
}

function timed() {
  const { connect, read } = PROXY.timeout;
  return { ...PROXY, timeout: { connect: `${connect}ms`, read: `${read}ms` } };
}

async function ended(upstreams: readonly FaultyUpstream[]): Promise<void> {
  for (const upstream of upstreams) await upstream[Symbol.asyncDispose]();
}

/** Runs a blow; no GET may fail meanwhile, or wait for too long. */
async function surviving(what: string, { upstreams, load }: Scene, blow: () => Promise<void>): Promise<void> {
  const from = load.outcomes.length;
  await blow();
  await load.settled();
  const seen = load.outcomes.slice(from);
  const gets = seen.filter(({ method }) => method === "GET");
  const failures = failed(seen, "GET");
  const slowestMs = Math.max(...gets.map(({ tookMs }) => tookMs));
  const numbers = [upstreams.length, gets.length, failures.length, seen.length - gets.length];
  figures.push([what, ...[...numbers, failed(seen, "POST").length].map(String), `${Math.round(slowestMs)} ms`]);
  assertEquals(failures, [], what);
  assertLess(slowestMs, LONGEST_MS, what);
}

/** Waits until `upstream` answers what is asked from now on. */
async function serves(load: SteadyLoad, { name }: FaultyUpstream): Promise<void> {
  const from = load.outcomes.length;
  const served = () => load.outcomes.slice(from).some(({ upstream, status }) => upstream === name && status === 200);
  await until(`${name} serves again`, served, 15_000);
}

Deno.test("whatever befalls one upstream of three, no GET fails and no POST is done twice", async (t) => {
  await withScene(3, async (scene) => {
    const { upstreams: [victim], load } = scene;
    for (const fault of FAULTS) {
      await t.step(fault, () =>
        surviving(fault, scene, async () => {
          await victim.suffer(fault);
          await load.more(200);
          await victim.recover(fault);
          await serves(load, victim);
        }));
    }
  });
});

for (const count of [2, 3]) {
  Deno.test(`a rolling restart of all ${count} upstreams fails no GET and does no POST twice`, async () => {
    await withScene(count, async (scene) => {
      await surviving("rolling restart", scene, async () => {
        for (const upstream of scene.upstreams) {
          await upstream.restart();
          await serves(scene.load, upstream);
        }
      });
    });
  });
}

Deno.test("one upstream of two killed, back, and the other killed: no GET fails and no POST is done twice", async () => {
  await withScene(2, async (scene) => {
    await surviving("each killed in turn", scene, async () => {
      for (const upstream of scene.upstreams) {
        await upstream.suffer("kill");
        await scene.load.more(60);
        await upstream.recover("kill");
        await serves(scene.load, upstream);
      }
    });
  });
});

Deno.test("the table of what befalls upstreams", () => {
  const widths = figures[0].map((_, column) => Math.max(...figures.map((row) => row[column].length)));
  const lines = figures.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  "));
  Deno.stdout.writeSync(new TextEncoder().encode(lines.join("\n") + "\n"));
  assert(figures.length > 1);
});
