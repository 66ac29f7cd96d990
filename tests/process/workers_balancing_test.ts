/**
 * Balancing with several workers is balancing with one: what they count lies in memory that they share.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { askOften, ClosedLoop } from "../support/closed_loop.ts";
import { until } from "../support/condition.ts";
import { LoadClient } from "../support/load_client.ts";
import { WorkersProxy } from "../support/running_workers.ts";
import { TallyingUpstream } from "../support/tallying_upstream.ts";

for (const workers of [2, 4, 8]) {
  Deno.test(`round_robin over ${workers} workers gives 10,000 requests to 3 upstreams in equal parts`, async () => {
    await using pool = new Upstreams(3);
    await using proxy = await WorkersProxy.start(workers, { upstreams: pool.urls });
    const loop = await askOften({ port: proxy.port, clients: 24, requests: 10_000 });
    assertEquals([...loop.statuses], [[200, 10_000]], loop.failures[0]);
    // The turn is one cell that all workers add to, so the parts are exact, whatever is in flight.
    assertEquals(pool.counts.toSorted(), [3333, 3333, 3334]);
  });
}

Deno.test("round_robin over 4 workers keeps the weights to the request", async () => {
  await using pool = new Upstreams(3);
  const upstreams = pool.urls.map((url, index) => ({ url, weight: [5, 3, 2][index] }));
  const proxyInput = { load_balancing: { method: "round_robin" } };
  await using proxy = await WorkersProxy.start(4, { upstreams, proxy: proxyInput });
  const loop = await askOften({ port: proxy.port, clients: 24, requests: 5000 });
  assertEquals([...loop.statuses], [[200, 5000]], loop.failures[0]);
  assertEquals(pool.counts, [2500, 1500, 1000]);
});

Deno.test("least_connections over 4 workers sees what is in flight in all of them", async () => {
  await using pool = new Upstreams(3);
  await using proxy = await WorkersProxy.start(4, {
    upstreams: pool.urls,
    proxy: { load_balancing: { method: "least_connections" } },
  });
  const [stuck] = pool.all;
  stuck.hold();
  const held: Promise<unknown>[] = [];
  // Each on a connection of its own, so that the system deals them out among the workers.
  for (let i = 0; i < 80; i++) {
    const before = stuck.count;
    const loop = new ClosedLoop({ port: proxy.port, clients: 1, requests: 1 });
    await until("an answer, or a request that is held", () => loop.answered === 1 || stuck.count > before);
    if (loop.answered === 0) held.push(loop.done);
  }
  // One worker that did not know of it would have sent it a second one.
  assertEquals(held.length, 1);
  stuck.letGo();
  await Promise.all(held);
});

Deno.test("least_connections over 4 workers spreads what is in flight as one worker does", async () => {
  await using pool = new Upstreams(3);
  await using proxy = await WorkersProxy.start(4, {
    upstreams: pool.urls,
    proxy: { load_balancing: { method: "least_connections" } },
  });
  for (const upstream of pool.all) upstream.hold();
  const loop = new ClosedLoop({ port: proxy.port, clients: 60, requests: 60 });
  await until("all are in flight", () => proxy.inFlight === 60 && pool.counts.reduce((a, b) => a + b) === 60);
  // Workers that look at the same moment may choose the same one: as many more as there are other workers.
  for (const { count } of pool.all) assertLessOrEqual(count, 23);
  assertEquals(proxy.upstreams.map(({ inFlight }) => inFlight), pool.counts);
  for (const upstream of pool.all) upstream.letGo();
  await loop.done;
  assertEquals(loop.failed, 0);
});

Deno.test("max_connections holds over 4 workers, and all that wait are served", async () => {
  await using upstream = TallyingUpstream.start({ delayMs: 4 });
  await using proxy = await WorkersProxy.start(4, {
    upstreams: [{ url: upstream.url, max_connections: 3 }],
    proxy: { connections: { queue_timeout: "20s" } },
  });
  const loop = await askOften({ port: proxy.port, clients: 24, requests: 1000 });
  assertEquals([...loop.statuses], [[200, 1000]], loop.failures[0]);
  assertEquals(upstream.count, 1000);
  assertLessOrEqual(upstream.peak, 3);
});

Deno.test("a request that waits for room is served when another worker's exchange ends", async () => {
  await using upstream = TallyingUpstream.start();
  await using proxy = await WorkersProxy.start(4, {
    upstreams: [{ url: upstream.url, max_connections: 1 }],
    proxy: { connections: { queue_timeout: "20s" } },
  });
  upstream.hold();
  const loop = new ClosedLoop({ port: proxy.port, clients: 32, requests: 32 });
  await until("one is in flight", () => upstream.count === 1);
  upstream.letGo();
  await loop.done;
  assertEquals([...loop.statuses], [[200, 32]], loop.failures[0]);
  assertEquals(upstream.peak, 1);
});

Deno.test("a sticky cookie that one worker has signed brings the client back in every other", async () => {
  await using pool = new Upstreams(3);
  await using proxy = await WorkersProxy.start(4, {
    upstreams: pool.urls,
    proxy: { load_balancing: { method: "cookie" } },
  });
  const answer = await fetch(`http://127.0.0.1:${proxy.port}/`);
  await answer.body?.cancel();
  const first = answer.headers.get("x-upstream");
  const cookie = (answer.headers.get("set-cookie") as string).split(";")[0];
  const bytes = new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: site.test\r\nCookie: ${cookie}\r\n\r\n`);
  for (let i = 0; i < 60; i++) {
    const client = new LoadClient(proxy.port);
    assertEquals((await client.ask(bytes)).upstream, first);
    client.close();
  }
});

/** Upstreams called `u0`, `u1` and so on. */
class Upstreams {
  readonly all: readonly TallyingUpstream[];

  constructor(count: number) {
    this.all = Array.from({ length: count }, (_, index) => TallyingUpstream.start({ name: `u${index}` }));
  }

  get urls(): string[] {
    return this.all.map(({ url }) => url);
  }

  get counts(): number[] {
    return this.all.map(({ count }) => count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((upstream) => upstream[Symbol.asyncDispose]()));
  }
}
