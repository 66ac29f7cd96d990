/**
 * Faults inside workers: errors that nobody catches, threads that end or are stuck, heaps that fill.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { startWorkers, type WorkerServerOptions } from "../../lib/process/worker_server.ts";
import type { WorkerThread } from "../../lib/process/worker_thread.ts";
import type { SupervisorMessage } from "../../lib/process/worker_message.ts";
import { ClosedLoop } from "../support/closed_loop.ts";
import { until } from "../support/condition.ts";
import type { WorkerFault } from "../support/faulty_worker.ts";
import { configOf } from "../support/running_proxy.ts";
import { WorkersProxy } from "../support/running_workers.ts";
import { TallyingUpstream } from "../support/tallying_upstream.ts";

const FAULTY = new URL("../support/faulty_worker.ts", import.meta.url);

function start(upstream: TallyingUpstream, how: Partial<WorkerServerOptions> = {}): Promise<WorkersProxy> {
  // A worker that drains has the time that a busy machine needs.
  const server = { shutdown_timeout: "20s" };
  return WorkersProxy.start(2, { upstreams: [upstream.url], server }, { module: FAULTY, ...how });
}

function cause(proxy: WorkersProxy, index: number, fault: WorkerFault): WorkerThread {
  const worker = proxy.server.workers[index] as WorkerThread;
  worker.post({ fault } as unknown as SupervisorMessage);
  return worker;
}

/** Holds requests until each worker has some, so that all are seen to serve. */
async function eachServes(proxy: WorkersProxy, upstream: TallyingUpstream): Promise<void> {
  upstream.hold();
  const held = new ClosedLoop({ port: proxy.port, clients: 48, requests: 48 });
  await until("each has something to do", () => proxy.server.workers.every((worker) => (worker?.underWay ?? 0) > 0));
  upstream.letGo();
  await held.done;
  assertEquals([held.failed, [...held.statuses]], [0, [[200, 48]]]);
}

Deno.test("an error that nobody catches is logged with its stack, fails no request, and its worker serves on", async () => {
  await using upstream = TallyingUpstream.start({ delayMs: 2 });
  await using proxy = await start(upstream);
  const workers = [...proxy.server.workers];
  await using loop = new ClosedLoop({ port: proxy.port, clients: 20 });
  await until("load", () => loop.answered > 100);
  cause(proxy, 0, "throw");
  cause(proxy, 0, "reject");
  await until(
    "both are logged",
    () => proxy.said("Uncaught error").length + proxy.said("Unhandled rejection").length === 2,
  );
  const answered = loop.answered;
  await until("load goes on", () => loop.answered > answered + 200);
  await loop.stop();
  assertEquals(loop.failed, 0, loop.failures[0]);
  for (
    const [message, text] of [["Uncaught error", "thrown by a test"], ["Unhandled rejection", "rejected by a test"]]
  ) {
    const [line] = proxy.said(message);
    assertEquals(line.level, "error");
    assertStringIncludes(String(line.cause), `Error: ${text}\n    at `);
    assertStringIncludes(String(line.cause), "faulty_worker.ts");
  }
  await eachServes(proxy, upstream);
  assertEquals([[...proxy.server.workers], proxy.server.restarts], [workers, [0, 0]]);
});

Deno.test("a worker whose thread ends without a word is replaced, and the other serves meanwhile", async () => {
  await using upstream = TallyingUpstream.start({ delayMs: 2 });
  // Long enough for a busy machine: the other one must not be taken for silent.
  await using proxy = await start(upstream, { silenceMs: 8000 });
  const [, other] = proxy.server.workers;
  cause(proxy, 0, "close");
  await using loop = new ClosedLoop({ port: proxy.port, clients: 10 });
  await until("its end is noticed", () => proxy.said("worker ended").length === 1, 20_000);
  const { statuses } = loop;
  const served = statuses.get(200) ?? 0;
  assert(served > 100, `${served} were served`);
  const [line] = proxy.said("worker ended");
  assertEquals(
    [line.level, line.worker, line.reason, line.replaced_in_ms],
    ["error", 0, "It has said nothing for 8 s", 100],
  );
  await until("it is replaced", () => proxy.said("worker replaced").length === 1, 20_000);
  await loop.stop();
  await eachServes(proxy, upstream);
  assertEquals([proxy.server.workers[1], proxy.server.restarts], [other, [1, 0]]);
});

Deno.test("a worker whose module throws at the start is no server: startWorkers() says why", async () => {
  const { config } = resolveConfig(configOf({ upstreams: ["http://127.0.0.1:1"] }));
  const module = new URL(`data:application/javascript,throw new Error("thrown at the start")`);
  const error = await assertRejects(() => startWorkers(config, { workers: 2, module }), Error);
  assertStringIncludes(error.message, "thrown at the start");
});

Deno.test("a worker whose heap is nearly full ends in order and is replaced; no exchange fails, and counts are right", async () => {
  await using upstream = TallyingUpstream.start();
  await using proxy = await start(upstream);
  const workers = [...proxy.server.workers];
  upstream.hold();
  const held = new ClosedLoop({ port: proxy.port, clients: 48, requests: 48 });
  await until("each has something to do", () => workers.every((worker) => (worker?.underWay ?? 0) > 0));
  // Both at once: one at a time may go.
  for (const index of [0, 1]) cause(proxy, index, "full");
  await until("one ends", () => proxy.server.workers.some((worker) => worker?.state === "draining"), 20_000);
  await until("both have told", () => proxy.said("The heap of this thread is nearly full").length === 2);
  assertEquals(workers.filter((worker) => worker?.state === "draining").length, 1);
  assertEquals(proxy.inFlight, 48);
  // A reload does not wait for it.
  await proxy.server.reload(proxy.server.generation.config);
  upstream.letGo();
  await held.done;
  assertEquals([held.failed, [...held.statuses]], [0, [[200, 48]]]);
  await until("both are replaced", () => proxy.server.restarts.every((count) => count === 1), 20_000);
  await proxy.idle();
  await eachServes(proxy, upstream);
  assertEquals(proxy.said("worker ended").map(({ level, reason }) => [level, reason]), [
    ["warn", "Its heap was nearly full"],
    ["warn", "Its heap was nearly full"],
  ]);
  const [line] = proxy.said("The heap of this thread is nearly full");
  assert(Number(line.used_mb) < Number(line.limit_mb));
  assertStringIncludes(String(line.advice), "--max-old-space-size");
});

Deno.test("the only worker that serves is not ended for its heap", async () => {
  await using upstream = TallyingUpstream.start();
  await using proxy = await WorkersProxy.start(1, { upstreams: [upstream.url] }, { module: FAULTY });
  const worker = cause(proxy, 0, "full");
  await until("it is logged", () => proxy.said("The heap of this thread is nearly full").length === 1, 20_000);
  await eachServes(proxy, upstream);
  assertEquals([worker.state, proxy.server.workers[0]], ["serving", worker]);
});
