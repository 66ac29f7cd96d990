/**
 * Workers that end, or cannot begin: the others go on, and no count is left wrong.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertLessOrEqual, assertRejects, assertStringIncludes } from "@std/assert";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { ListenError } from "../../lib/process/listener.ts";
import { startWorkers } from "../../lib/process/worker_server.ts";
import type { WorkerThread } from "../../lib/process/worker_thread.ts";
import { askOften, ClosedLoop } from "../support/closed_loop.ts";
import { until, within } from "../support/condition.ts";
import { freePort, portIsFree } from "../support/port.ts";
import { configOf } from "../support/running_proxy.ts";
import { WorkersProxy } from "../support/running_workers.ts";
import { TallyingUpstream } from "../support/tallying_upstream.ts";

Deno.test("a worker that is killed takes its own exchanges with it, and no other", async () => {
  await using upstream = TallyingUpstream.start();
  await using proxy = await WorkersProxy.start(3, { upstreams: [upstream.url] });
  upstream.hold();
  const loop = new ClosedLoop({ port: proxy.port, clients: 48, requests: 48 });
  // Each worker says every second what it has under way.
  await until("all workers have told", () => told(proxy) === 48);
  const { underWay } = killed(proxy, 1);
  assert(underWay > 0 && underWay < 48, `${underWay} of 48 exchanges were its own`);
  assertEquals(proxy.inFlight, 48 - underWay);
  await until("its clients know", () => loop.answered === underWay);
  upstream.letGo();
  await loop.done;
  assertEquals([...loop.statuses].toSorted(), [[0, underWay], [200, 48 - underWay]]);
  await proxy.idle();
});

Deno.test("workers that are killed under load are replaced, and leave all counts right", async () => {
  const clients = 30;
  await using upstream = TallyingUpstream.start({ delayMs: 2 });
  await using proxy = await WorkersProxy.start(3, { upstreams: [upstream.url] });
  await using loop = new ClosedLoop({ port: proxy.port, clients });
  await until("load", () => loop.answered > 300);
  for (const index of [0, 1, 2, 0]) {
    const before = proxy.server.restarts[index];
    killed(proxy, index);
    await until("it is replaced", () => proxy.server.restarts[index] > before, 20_000);
  }
  const answered = loop.answered;
  await until("load goes on", () => loop.answered > answered + 300);
  await loop.stop();
  await proxy.idle();
  // Each connection can lose one request to a worker's end, and its place in the queue of a port that is closed.
  assertLessOrEqual(loop.failed, 4 * 2 * clients);
  assertEquals([...loop.statuses.keys()].filter((status) => status !== 200 && status !== 0), []);
  const after = await askOften({ port: proxy.port, clients, requests: 300 });
  assertEquals([...after.statuses], [[200, 300]], after.failures[0]);
  // All three serve again.
  upstream.hold();
  const held = new ClosedLoop({ port: proxy.port, clients: 48, requests: 48 });
  await until("each has something to do", () => proxy.server.workers.every((worker) => (worker?.underWay ?? 0) > 0));
  upstream.letGo();
  await held.done;
  assertEquals(held.failed, 0);
});

Deno.test("what a killed worker had in flight at an upstream that is in no pool any more is taken back too", async () => {
  await using stays = TallyingUpstream.start();
  await using leaves = TallyingUpstream.start();
  await using proxy = await WorkersProxy.start(2, { upstreams: [stays.url, leaves.url] });
  const both = proxy.server.generation.config;
  const { config: one } = resolveConfig(configOf({ upstreams: [stays.url] }));
  leaves.hold();
  const loop = new ClosedLoop({ port: proxy.port, clients: 40, requests: 40 });
  await until("half are answered, half are held", () => loop.answered === 20 && leaves.open === 20);
  // What they tell of the others too, so that neither told it before those had ended.
  const ended = () => proxy.server.workers.reduce((sum, worker) => sum + (worker?.ended ?? 0), 0);
  await until("all workers have told", () => told(proxy) === 20 && ended() === 20);
  await proxy.server.reload(one);
  const { underWay } = killed(proxy, 0);
  await proxy.server.reload(both);
  assertEquals(proxy.upstreams[1].inFlight, 20 - underWay);
  leaves.letGo();
  await loop.done;
  await proxy.idle();
});

Deno.test("a worker that ends again and again is replaced after longer and longer pauses", async () => {
  await using upstream = TallyingUpstream.start();
  // A port that no connection of another test is given while nobody has it.
  await using proxy = await WorkersProxy.start(1, { upstreams: [upstream.url], site: { port: freePort() } });
  for (let round = 1; round <= 4; round++) {
    killed(proxy, 0);
    await until("it is replaced", () => proxy.server.restarts[0] === round, 20_000);
  }
  assertEquals([...(await askOften({ port: proxy.port, clients: 4, requests: 20 })).statuses], [[200, 20]]);
  await until("the log has all", () => proxy.said("worker replaced").length === 4);
  await proxy.server.stop();
  assertEquals(proxy.said("worker ended").map((line) => line.replaced_in_ms), [100, 200, 400, 800]);
});

Deno.test("a worker that cannot get its port again says why, and serves once it has it", async () => {
  await using upstream = TallyingUpstream.start();
  await using proxy = await WorkersProxy.start(1, { upstreams: [upstream.url], site: { port: freePort() } });
  const { port } = proxy;
  const address = { hostname: "127.0.0.1", port };
  killed(proxy, 0);
  let thief: Deno.Listener | undefined;
  await until("another program has the port", () => {
    try {
      thief ??= Deno.listen(address);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
    return thief !== undefined;
  }, 20_000);
  await until("it was tried twice", () => proxy.said("worker ended").length >= 3, 20_000);
  const [, second] = proxy.said("worker ended");
  assertStringIncludes(String(second.reason), `127.0.0.1:${port}: the port is in use`);
  assertEquals(proxy.server.restarts, [0]);
  thief?.close();
  await until("it serves", () => proxy.server.restarts[0] === 1, 20_000);
  assertEquals([...(await askOften({ port, clients: 1, requests: 1 })).statuses], [[200, 1]]);
});

for (const reusePort of [false, true]) {
  const how = reusePort ? "would share" : "has";
  Deno.test(`startWorkers() fails on a port that another program ${how}, and leaves nothing behind`, async () => {
    using foreign = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort });
    const { port } = foreign.addr as Deno.NetAddr;
    const { config } = resolveConfig(configOf({ upstreams: ["http://127.0.0.1:1"], site: { port } }));
    const error = await assertRejects(() => startWorkers(config, { workers: 2 }), ListenError);
    assertStringIncludes(error.message, `Cannot listen on 127.0.0.1:${port}: the port is in use`);
  });
}

Deno.test("RunningWorkers.stop() ends all workers, one that is being replaced included, and frees the port", async () => {
  await using upstream = TallyingUpstream.start();
  const proxy = await WorkersProxy.start(3, { upstreams: [upstream.url] });
  const { port } = proxy;
  killed(proxy, 2);
  assertEquals(await within(10_000, "it stops", proxy.server.stop()), 0);
  await until("the port is free", () => portIsFree(port));
  await assertRejects(() => proxy.server.reload(proxy.server.generation.config), Error, "the server is stopping");
});

function told(proxy: WorkersProxy): number {
  return proxy.server.workers.reduce((sum, worker) => sum + (worker?.underWay ?? 0), 0);
}

function killed(proxy: WorkersProxy, index: number): WorkerThread {
  const worker = proxy.server.workers[index] as WorkerThread;
  worker.terminate();
  return worker;
}
