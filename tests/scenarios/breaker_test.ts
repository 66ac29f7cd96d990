// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { until } from "../support/condition.ts";
import { header, statusOf } from "../support/message_reader.ts";
import { MoodyUpstream } from "../support/moody_upstream.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { statusAnswer } from "../support/replying_upstream.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { jump } from "../support/time_jump.ts";

/** Over when a test says so. */
const OPEN_MS = 60_000;
const base = { failure_ratio: 0.5, min_requests: 10, window: "60s", open_for: "60s", trial_requests: 2 };

type Breaker = Partial<typeof base> & { slow_after?: string; slow_ratio?: number; max_in_flight?: number };

/** A proxy whose upstreams have nothing but a breaker. */
function behind(breaker: Breaker, ...upstreams: readonly MoodyUpstream[]): Promise<RunningProxy> {
  return RunningProxy.start({
    upstreams: upstreams.map(({ url }) => url),
    proxy: { circuit_breaker: { ...base, ...breaker }, passive_health: { enabled: false } },
  });
}

async function statuses(proxy: RunningProxy, count: number): Promise<number[]> {
  const got: number[] = [];
  for (let i = 0; i < count; i++) got.push(statusOf(await exchange(proxy.port, get(`/${i}`))));
  return got;
}

/** Opens the breaker of the only upstream. */
async function trip(proxy: RunningProxy, upstream: MoodyUpstream): Promise<void> {
  upstream.mood = 500;
  await statuses(proxy, base.min_requests);
  assertEquals(proxy.upstreams[0].state, "breaker_open");
}

/** Lets the time of the only upstream's open breaker pass. */
function halfOpen(proxy: RunningProxy): void {
  assertEquals(proxy.upstreams[0].state, "breaker_open");
  jump(OPEN_MS);
  assertEquals(proxy.upstreams[0].state, "breaker_half_open");
}

Deno.test("a breaker opens on its share of failures, once there are enough requests, and 503 says when to come back", async () => {
  await using upstream = new MoodyUpstream();
  await using proxy = await behind({}, upstream);
  await statuses(proxy, 5);
  upstream.mood = 500;
  assertEquals(await statuses(proxy, 4), Array(4).fill(500));
  // Four of nine, then five of ten.
  assertEquals(proxy.upstreams[0].state, "active");
  assertEquals(await statuses(proxy, 1), [500]);
  assertEquals(proxy.upstreams[0].state, "breaker_open");
  const got = await exchange(proxy.port, get("/"));
  assertEquals([statusOf(got), upstream.requests], [503, 10]);
  const seconds = Number(header(got, "retry-after"));
  assertGreater(seconds, 1);
  assertLessOrEqual(seconds, 60);
});

Deno.test("a breaker stays closed below its share", async () => {
  await using upstream = new MoodyUpstream();
  await using proxy = await behind({ failure_ratio: 0.6 }, upstream);
  for (let round = 0; round < 20; round++) {
    upstream.mood = round % 2 === 0 ? 500 : 200;
    await statuses(proxy, 1);
  }
  assertEquals([proxy.upstreams[0].state, upstream.requests], ["active", 20]);
});

Deno.test("a breaker opens on slow responses", async () => {
  await using upstream = new MoodyUpstream();
  upstream.delayMs = 150;
  await using proxy = await behind({ slow_after: "100ms", slow_ratio: 1, min_requests: 4 }, upstream);
  const got = await Promise.all(Array.from({ length: 4 }, () => exchange(proxy.port, get("/"))));
  assertEquals(got.map(statusOf), [200, 200, 200, 200]);
  assertEquals([proxy.upstreams[0].state, await statuses(proxy, 1)], ["breaker_open", [503]]);
});

Deno.test("a half-open breaker lets its trials through and no more; as many good ones close it", async () => {
  await using upstream = new MoodyUpstream();
  await using proxy = await behind({}, upstream);
  await trip(proxy, upstream);
  upstream.mood = "hold";
  halfOpen(proxy);
  const before = upstream.requests;
  const trials = [exchange(proxy.port, get("/1")), exchange(proxy.port, get("/2"))];
  await until("both trials are there", () => upstream.requests === before + 2);
  assertEquals(await statuses(proxy, 5), Array(5).fill(503));
  assertEquals(upstream.requests, before + 2);
  upstream.mood = 200;
  upstream.release();
  assertEquals((await Promise.all(trials)).map(statusOf), [200, 200]);
  assertEquals(proxy.upstreams[0].state, "active");
  assertEquals(await statuses(proxy, 5), Array(5).fill(200));
});

Deno.test("a failed trial opens a half-open breaker again", async () => {
  await using upstream = new MoodyUpstream();
  await using proxy = await behind({}, upstream);
  await trip(proxy, upstream);
  halfOpen(proxy);
  assertEquals(await statuses(proxy, 2), [500, 503]);
  upstream.mood = 200;
  halfOpen(proxy);
  assertEquals(await statuses(proxy, 2), [200, 200]);
  assertEquals(proxy.upstreams[0].state, "active");
});

Deno.test("a client that leaves a trial does not keep the breaker half open", async () => {
  await using upstream = new MoodyUpstream();
  await using proxy = await behind({ trial_requests: 1 }, upstream);
  await trip(proxy, upstream);
  upstream.mood = "hold";
  halfOpen(proxy);
  const before = upstream.requests;
  const leaving = await RawClient.connect(proxy.port);
  await leaving.send(get("/"));
  await until("the trial is there", () => upstream.requests === before + 1);
  assertEquals(await statuses(proxy, 1), [503]);
  leaving.close();
  await proxy.idle();
  upstream.mood = 200;
  assertEquals(await statuses(proxy, 1), [200]);
  assertEquals(proxy.upstreams[0].state, "active");
});

Deno.test("uploads that drip hold no trial of a half-open breaker", async () => {
  await using upstream = new MoodyUpstream();
  await using proxy = await behind({ trial_requests: 2 }, upstream);
  await trip(proxy, upstream);
  halfOpen(proxy);
  const dripping: RawClient[] = [];
  for (let i = 1; i <= 4; i++) {
    const client = await RawClient.connect(proxy.port);
    await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nx");
    dripping.push(client);
    await until("it is under way", () => proxy.upstreams[0].inFlight === i);
    // Its place is held until the first piece of the body has gone out.
    await until("it holds no trial", () => proxy.upstreams[0].available);
  }
  upstream.mood = 200;
  assertEquals(await statuses(proxy, 5), Array(5).fill(200));
  assertEquals(proxy.upstreams[0].state, "active");
  for (const client of dripping) client.close();
});

Deno.test("clients that read slowly hold no trial of a half-open breaker: it is judged by the heads", async () => {
  const large = "x".repeat(32 * 1024 * 1024);
  let status = 500;
  await using upstream = ScriptedUpstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      const answer = status === 500 ? statusAnswer(500) : answerOf(request.firstLine.includes("/large") ? large : "ok");
      if (!await peer.send(answer)) return;
    }
  });
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { circuit_breaker: { ...base, trial_requests: 3 }, passive_health: { enabled: false } },
  });
  await statuses(proxy, base.min_requests);
  halfOpen(proxy);
  status = 200;
  const slow: RawClient[] = [];
  for (let i = 1; i <= 2; i++) {
    const client = await RawClient.connect(proxy.port);
    await client.send(get("/large"));
    slow.push(client);
    await until("the head is there", () => upstream.requests.length === base.min_requests + i);
  }
  await until("the trials are over", () => proxy.upstreams[0].available);
  assertEquals(await statuses(proxy, 3), [200, 200, 200]);
  assertEquals([proxy.upstreams[0].state, proxy.upstreams[0].inFlight], ["active", 2]);
  for (const client of slow) client.close();
});

Deno.test("where there is another upstream, nobody notices an open breaker", async () => {
  await using bad = new MoodyUpstream();
  await using good = new MoodyUpstream();
  await using proxy = await behind({ min_requests: 3 }, bad, good);
  bad.mood = 500;
  await statuses(proxy, 6);
  assertEquals(proxy.upstreams.map(({ state }) => state), ["breaker_open", "active"]);
  const before = bad.requests;
  assertEquals(await statuses(proxy, 20), Array(20).fill(200));
  assertEquals(bad.requests, before);
});

Deno.test("a request whose own attempt opens the only breaker gets the result of that attempt", async () => {
  await using upstream = new MoodyUpstream();
  upstream.mood = 503;
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: {
      circuit_breaker: { ...base, min_requests: 1 },
      retries: { retry_on: [503], backoff: 0 },
      passive_health: { enabled: false },
    },
  });
  const got = await exchange(proxy.port, get("/"));
  assertEquals([statusOf(got), upstream.requests], [503, 1]);
  assertGreater(Number(header(got, "retry-after")), 1);
});

Deno.test("max_in_flight bounds what is under way; so many more wait, and others get 503 with Retry-After", async () => {
  await using upstream = new MoodyUpstream();
  upstream.mood = "hold";
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { circuit_breaker: { max_in_flight: 2 }, connections: { queue_size: 1, queue_timeout: "60s" } },
  });
  const [pool] = proxy.generation.sites[0].pools.values();
  const held = [exchange(proxy.port, get("/1")), exchange(proxy.port, get("/2"))];
  await until("two are under way", () => upstream.requests === 2);
  const waiting = exchange(proxy.port, get("/3"));
  await until("one waits", () => pool.waitingCount === 1);
  const refused = await exchange(proxy.port, get("/4"));
  assertEquals([statusOf(refused), header(refused, "retry-after"), upstream.requests], [503, "1", 2]);
  upstream.mood = 200;
  upstream.release();
  assertEquals((await Promise.all([...held, waiting])).map(statusOf), [200, 200, 200]);
});

Deno.test("a request that waits for longer than queue_timeout gets 503", async () => {
  await using upstream = new MoodyUpstream();
  upstream.mood = "hold";
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { circuit_breaker: { max_in_flight: 1 }, connections: { queue_size: 5, queue_timeout: "50ms" } },
  });
  const held = exchange(proxy.port, get("/1"));
  await until("one is under way", () => upstream.requests === 1);
  assertEquals(await statuses(proxy, 1), [503]);
  upstream.release();
  assertEquals([statusOf(await held), upstream.requests], [200, 1]);
});
