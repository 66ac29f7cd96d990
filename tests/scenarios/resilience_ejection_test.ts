// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { until } from "../support/condition.ts";
import { statusOf } from "../support/message_reader.ts";
import { closeAll, MoodyUpstream } from "../support/moody_upstream.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { deadPort } from "../support/replying_upstream.ts";
import { RunningProxy, type RunningProxyOptions } from "../support/running_proxy.ts";
import { jump } from "../support/time_jump.ts";

/** Over when a test says so. */
const EJECT_MS = 60_000;
const passive_health = { max_fails: 3, fail_window: "10m", eject_for: "60s", max_eject_for: "240s" };
/** Every request goes to the first upstream while that is available. */
const first = { load_balancing: { method: "first" }, passive_health, retries: { backoff: 0, min_per_second: 1000 } };

interface Pair {
  one: MoodyUpstream;
  two: MoodyUpstream;
  proxy: RunningProxy;
}

async function withPair(proxy: RunningProxyOptions["proxy"], run: (pair: Pair) => Promise<void>): Promise<void> {
  await using one = new MoodyUpstream();
  await using two = new MoodyUpstream();
  await using running = await RunningProxy.start({ upstreams: [one.url, two.url], proxy });
  await run({ one, two, proxy: running });
}

async function gets(proxy: RunningProxy, count: number): Promise<number[]> {
  const got: number[] = [];
  for (let i = 0; i < count; i++) got.push(statusOf(await exchange(proxy.port, get(`/${i}`))));
  return got;
}

/** Asks until `fact` holds; each answer must be 200. */
async function getsUntil(proxy: RunningProxy, fact: () => boolean): Promise<void> {
  for (let round = 0; round < 50 && !fact(); round++) assertEquals(await gets(proxy, 1), [200]);
  assertEquals(fact(), true);
}

function states(proxy: RunningProxy): string[] {
  return proxy.upstreams.map(({ state }) => state);
}

/** Has the first upstream ejected. */
async function eject({ one, proxy }: Pair): Promise<void> {
  one.mood = "close";
  await gets(proxy, passive_health.max_fails);
  assertEquals(states(proxy), ["ejected", "active"]);
}

Deno.test("max_fails failures in a row eject an upstream; a good response in between begins anew", async () => {
  await withPair(first, async (pair) => {
    const { one, two, proxy } = pair;
    for (const mood of [500, 500, 200, 500, 500, 200] as const) {
      one.mood = mood;
      assertEquals(await gets(proxy, 1), [mood]);
    }
    assertEquals(states(proxy), ["active", "active"]);
    await eject(pair);
    const before = [one.requests, two.requests];
    assertEquals(await gets(proxy, 5), Array(5).fill(200));
    assertEquals([one.requests, two.requests], [before[0], before[1] + 5]);
  });
});

Deno.test("failures further apart than fail_window are not in a row", async () => {
  await withPair(first, async ({ one, proxy }) => {
    one.mood = 500;
    for (let round = 0; round < 6; round++) {
      await gets(proxy, 1);
      jump(601_000);
    }
    assertEquals([states(proxy), one.requests], [["active", "active"], 6]);
  });
});

Deno.test("each ejection lasts twice as long as the last, up to max_eject_for, and less after a good time", async () => {
  await withPair(first, async (pair) => {
    const [upstream] = pair.proxy.upstreams;
    const lasted: number[] = [];
    upstream.condition.onChange = (change) => {
      // What is told is what remains of it.
      if (change.kind === "ejected") lasted.push(Math.round(change.forMs / EJECT_MS) * EJECT_MS);
    };
    await eject(pair);
    for (let round = 0; round < 3; round++) {
      jump(lasted[round]);
      assertEquals(upstream.state, "on_trial");
      assertEquals(await gets(pair.proxy, 1), [200]);
      assertEquals(upstream.state, "ejected");
    }
    assertEquals(lasted, [1, 2, 4, 4].map((times) => times * EJECT_MS));
    jump(4 * EJECT_MS);
    pair.one.mood = 200;
    await gets(pair.proxy, 1);
    // As long in use as four ejections of the last length.
    jump(4 * lasted[3]);
    await eject(pair);
    assertEquals(lasted.at(-1), EJECT_MS);
  });
});

for (const [percent, ejected] of [[0, 0], [25, 1], [50, 2], [100, 4]]) {
  Deno.test(`of four upstreams that respond with 500, max_ejected_percent = ${percent} ejects ${ejected}`, async () => {
    const upstreams = Array.from({ length: 4 }, () => new MoodyUpstream());
    await using _closed = { [Symbol.asyncDispose]: () => closeAll(upstreams) };
    await using proxy = await RunningProxy.start({
      upstreams: upstreams.map(({ url }) => url),
      proxy: { passive_health: { ...passive_health, max_ejected_percent: percent } },
    });
    for (const upstream of upstreams) upstream.mood = 500;
    assertEquals(await gets(proxy, 40), Array(40).fill(500));
    assertEquals(states(proxy).filter((state) => state === "ejected").length, ejected);
  });
}

Deno.test("max_ejected_percent does not keep upstreams in use that cannot be reached", async () => {
  await using good = new MoodyUpstream();
  const dead = [1, 2, 3].map(() => `http://127.0.0.1:${deadPort()}`);
  await using proxy = await RunningProxy.start({
    upstreams: [good.url, ...dead],
    proxy: { passive_health: { ...passive_health, max_ejected_percent: 0 } },
  });
  assertEquals(await gets(proxy, 40), Array(40).fill(200));
  assertEquals(states(proxy), ["active", "ejected", "ejected", "ejected"]);
});

Deno.test("an ejection that is over does not keep another upstream from being ejected", async () => {
  await withPair(first, async ({ one, two, proxy }) => {
    two.mood = 500;
    for (const mood of ["close", 200, "close", 200, "close", 200] as const) {
      one.mood = mood;
      await gets(proxy, 1);
    }
    assertEquals(proxy.upstreams.map(({ condition }) => condition.ejected), [false, true]);
    // Nobody asks for the second meanwhile.
    jump(EJECT_MS);
    one.mood = 500;
    assertEquals(await gets(proxy, 3), [500, 500, 500]);
    assertEquals(proxy.upstreams[0].condition.ejected, true);
  });
});

Deno.test("responses later than slow_after eject", async () => {
  await withPair({ ...first, passive_health: { ...passive_health, slow_after: "50ms" } }, async ({ one, proxy }) => {
    one.delayMs = 70;
    assertEquals(await gets(proxy, 3), [200, 200, 200]);
    assertEquals(states(proxy)[0], "ejected");
  });
});

Deno.test("a client that leaves is no strike against its upstream", async () => {
  await withPair(first, async ({ one, proxy }) => {
    one.mood = "hold";
    for (let round = 0; round < 6; round++) {
      const leaving = await RawClient.connect(proxy.port);
      await leaving.send(get("/"));
      await until("it is there", () => one.requests === round + 1);
      leaving.close();
      await proxy.idle();
    }
    assertEquals(states(proxy), ["active", "active"]);
  });
});

Deno.test("after an ejection one attempt at a time is made, until one goes well", async () => {
  await withPair(first, async (pair) => {
    const { one, proxy } = pair;
    await eject(pair);
    jump(EJECT_MS);
    one.mood = "hold";
    const before = one.requests;
    const trial = exchange(proxy.port, get("/trial"));
    await until("the trial is there", () => one.requests === before + 1);
    assertEquals([await gets(proxy, 5), one.requests], [Array(5).fill(200), before + 1]);
    one.mood = 200;
    one.release();
    assertEquals(statusOf(await trial), 200);
    await gets(proxy, 5);
    assertEquals([states(proxy)[0], one.requests], ["active", before + 6]);
  });
});

Deno.test("an upstream that came back gets its share little by little", async () => {
  const slow_start = "1000s";
  const retries = { backoff: 0, min_per_second: 1000 };
  await withPair({ passive_health, retries, load_balancing: { slow_start } }, async ({ one, proxy }) => {
    one.mood = "close";
    await getsUntil(proxy, () => states(proxy)[0] === "ejected");
    jump(EJECT_MS);
    one.mood = 200;
    await getsUntil(proxy, () => states(proxy)[0] === "slow_start");
    const share = async () => {
      const before = one.requests;
      await gets(proxy, 200);
      return one.requests - before;
    };
    // Its turns are 100; chance alone strays by 3 from 10, and by 5 from 50.
    assertLess(await share(), 35);
    jump(500_000);
    const half = await share();
    assertGreater(half, 20);
    assertLess(half, 80);
    jump(500_000);
    assertEquals([await share(), states(proxy)[0]], [100, "active"]);
  });
});

Deno.test("a backup serves while no other upstream can, and no longer", async () => {
  await using main = new MoodyUpstream();
  await using backup = new MoodyUpstream();
  const upstreams = [main.url, { url: backup.url, backup: true }];
  await using proxy = await RunningProxy.start({ upstreams, proxy: { passive_health, retries: { backoff: 0 } } });
  await gets(proxy, 10);
  assertEquals([main.requests, backup.requests], [10, 0]);
  main.mood = "close";
  assertEquals(await gets(proxy, 10), Array(10).fill(200));
  assertEquals([states(proxy), backup.requests], [["ejected", "active"], 10]);
  jump(EJECT_MS);
  main.mood = 200;
  assertEquals(await gets(proxy, 10), Array(10).fill(200));
  assertEquals([states(proxy), backup.requests], [["active", "active"], 10]);
});
