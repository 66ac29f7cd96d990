// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreater } from "@std/assert";
import { until } from "../support/condition.ts";
import { header, statusOf } from "../support/message_reader.ts";
import { MoodyUpstream } from "../support/moody_upstream.ts";
import { exchange, get } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";

const health_check = { path: "/health", interval: "20ms", timeout: "5s", healthy_after: 2, unhealthy_after: 2 };

async function gets(proxy: RunningProxy, count: number): Promise<number[]> {
  const got: number[] = [];
  for (let i = 0; i < count; i++) got.push(statusOf(await exchange(proxy.port, get(`/${i}`))));
  return got;
}

function seen(proxy: RunningProxy, index: number, state: string): Promise<void> {
  return until(`upstream ${index} is ${state}`, () => proxy.upstreams[index].state === state, 10_000);
}

Deno.test("an upstream whose health check fails gets no more requests, and comes back with it", async () => {
  await using one = new MoodyUpstream();
  await using two = new MoodyUpstream();
  await using proxy = await RunningProxy.start({ upstreams: [one.url, two.url], proxy: { health_check } });
  assertEquals(await gets(proxy, 10), Array(10).fill(200));
  assertEquals([one.requests, two.requests], [5, 5]);
  one.health = 503;
  await seen(proxy, 0, "unhealthy");
  assertEquals(await gets(proxy, 10), Array(10).fill(200));
  assertEquals([one.requests, two.requests], [5, 15]);
  one.health = 200;
  await until("it is back", () => ["slow_start", "active"].includes(proxy.upstreams[0].state), 10_000);
  await gets(proxy, 10);
  assertEquals([one.requests, two.requests], [10, 20]);
});

Deno.test("good probes end an ejection for being out of reach", async () => {
  await using one = new MoodyUpstream();
  await using two = new MoodyUpstream();
  one.mood = "close";
  const passive_health = { max_fails: 3, eject_for: "1h", max_eject_for: "1h" };
  await using proxy = await RunningProxy.start({
    upstreams: [one.url, two.url],
    proxy: { health_check, passive_health, retries: { backoff: 0 } },
  });
  let ejected = false;
  proxy.upstreams[0].condition.onChange = (change) => ejected ||= change.kind === "ejected";
  for (let round = 0; round < 50 && !ejected; round++) assertEquals(await gets(proxy, 1), [200]);
  assertEquals(ejected, true);
  one.mood = 200;
  await until("it is back", () => !proxy.upstreams[0].condition.ejected, 10_000);
});

Deno.test("good probes do not end an ejection for bad responses", async () => {
  await using one = new MoodyUpstream();
  await using two = new MoodyUpstream();
  one.mood = 500;
  const passive_health = { max_fails: 3, eject_for: "1h", max_eject_for: "1h" };
  await using proxy = await RunningProxy.start({
    upstreams: [one.url, two.url],
    proxy: { health_check, passive_health },
  });
  for (let round = 0; round < 50 && !proxy.upstreams[0].condition.ejected; round++) await gets(proxy, 1);
  const { probes } = one;
  await until("it was probed often", () => one.probes > probes + 4, 10_000);
  assertEquals(proxy.upstreams[0].state, "ejected");
});

for (const [when, status] of [["reject", 503], ["try_anyway", 200]] as const) {
  Deno.test(`when_all_unhealthy = "${when}" responds with ${status} when every health check fails`, async () => {
    await using one = new MoodyUpstream();
    await using two = new MoodyUpstream();
    one.health = two.health = 503;
    await using proxy = await RunningProxy.start({
      upstreams: [one.url, two.url],
      proxy: { health_check, load_balancing: { when_all_unhealthy: when } },
    });
    await seen(proxy, 0, "unhealthy");
    await seen(proxy, 1, "unhealthy");
    const before = one.requests + two.requests;
    const got = await exchange(proxy.port, get("/"));
    assertEquals([statusOf(got), one.requests + two.requests - before], [status, status === 200 ? 1 : 0]);
    if (status === 503) assertEquals(header(got, "retry-after"), "1");
  });
}

Deno.test('with initial = "unhealthy" an upstream gets nothing before its first good probe', async () => {
  await using upstream = new MoodyUpstream();
  upstream.health = 503;
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { health_check: { ...health_check, initial: "unhealthy" } },
  });
  await until("it was probed", () => upstream.probes > 0, 10_000);
  assertEquals([await gets(proxy, 1), upstream.requests], [[503], 0]);
  upstream.health = 200;
  await until("it is in use", () => proxy.upstreams[0].available, 10_000);
  assertEquals(await gets(proxy, 1), [200]);
});

Deno.test("an upstream in two pools is probed once, for both", async () => {
  await using upstream = new MoodyUpstream();
  const { url } = upstream;
  await using proxy = await RunningProxy.start({
    upstreams: [],
    proxy: {
      health_check,
      upstreams: [{ name: "app", url }, { name: "other", url }],
      routes: [{ path: "/", upstream: "app" }, { path: "/other", upstream: "other" }],
    },
  });
  const { prober } = proxy.generation.processState;
  await until("it is known to be well", () => prober?.statuses[0]?.verdict === "healthy", 10_000);
  assertEquals([prober?.statuses.length, proxy.upstreams.length], [1, 2]);
  upstream.health = 503;
  await seen(proxy, 0, "unhealthy");
  await seen(proxy, 1, "unhealthy");
  // One address, one connection after another: two probers would have found it bad at different times.
  assertGreater(upstream.probes, 2);
  assertEquals(statusOf(await exchange(proxy.port, get("/other"))), 503);
});
