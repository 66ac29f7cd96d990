/**
 * The connections that are kept for one upstream, over real sockets; its metrics tell what is open and idle.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertNotStrictEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import { localMetricFields } from "../../../lib/metrics/metric_fields.ts";
import { parseEndpoint } from "../../../lib/sockets/endpoint.ts";
import { runtimeDriver } from "../../../lib/sockets/runtime_driver.ts";
import type { SocketDriver } from "../../../lib/sockets/socket.ts";
import { useSocketDriver } from "../../../lib/sockets/socket_driver.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import type { Connection } from "../../../lib/upstream/connection/connection.ts";
import { ConnectionPool, type ConnectionPoolOptions } from "../../../lib/upstream/connection/connection_pool.ts";
import type { LentConnection } from "../../../lib/upstream/connection/lent_connection.ts";
import { IdleRelease } from "../../../lib/upstream/connection/idle_release.ts";
import { UPSTREAM_METRICS } from "../../../lib/upstream/upstream_metrics.ts";
import { AskingUser } from "../../support/asking_user.ts";
import { until } from "../../support/condition.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";

const LIMITS = {
  ...{ readTimeoutMs: 5000, writeTimeoutMs: 5000, clientTimeoutMs: 5000 },
  ...{ idle_timeout: 60_000, maxHeadBytes: 65_536, max_idle: 2 },
};

/** A pool whose connections are counted; it closes all of them in the end. */
class Kept implements Disposable {
  readonly #metrics = UPSTREAM_METRICS.take(localMetricFields(), "upstream");
  readonly pool: ConnectionPool;

  constructor(url: string, options: Partial<ConnectionPoolOptions> = {}) {
    const all = { ...LIMITS, metrics: this.#metrics, ...options };
    this.pool = new ConnectionPool(parseEndpoint(url), all, new CoarseClock(5));
  }

  /** A new connection. */
  dial(): Promise<Connection> {
    return this.pool.obtain({ fresh: true, timeoutMs: 5000 }).result as Promise<Connection>;
  }

  /** One exchange on a connection, up to the end of the response. */
  async exchange(connection: Connection): Promise<void> {
    await AskingUser.ask(connection);
    connection.wholeBody();
  }

  /** What is counted. */
  get counts(): { open: number; idle: number; dialled: number; reused: number } {
    const { connections: { open, idle }, dialled, reused } = this.#metrics.snapshot();
    return { open, idle, dialled, reused };
  }

  [Symbol.dispose](): void {
    this.pool.destroy();
  }
}

Deno.test("ConnectionPool.take() gives the connection that was used last, and nothing when none idles", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  using kept = new Kept(upstream.url);
  const { pool } = kept;
  assertEquals(pool.take(), undefined);
  const [first, second] = [await kept.dial(), await kept.dial()];
  for (const connection of [first, second]) {
    await kept.exchange(connection);
    pool.release(connection, true);
  }
  assertEquals(kept.counts, { open: 2, idle: 2, dialled: 2, reused: 0 });
  assertStrictEquals(pool.take(), second);
  assertStrictEquals(pool.take(), first);
  assertEquals(pool.take(), undefined);
  assertEquals([kept.counts, pool.idleCount], [{ open: 2, idle: 0, dialled: 2, reused: 2 }, 0]);
});

Deno.test("ConnectionPool.release() keeps as many as max_idle and closes the rest", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  using kept = new Kept(upstream.url);
  const connections = await Promise.all([kept.dial(), kept.dial(), kept.dial()]);
  for (const connection of connections) {
    await kept.exchange(connection);
    kept.pool.release(connection, true);
  }
  assertEquals(connections.map(({ closed }) => closed), [false, false, true]);
  assertEquals(kept.counts, { open: 2, idle: 2, dialled: 3, reused: 0 });
  await until("the upstream sees it", () => upstream.open === 2);
});

Deno.test("ConnectionPool.release() closes a connection whose request was not sent whole, or whose response was not read", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  using kept = new Kept(upstream.url);
  const [unsent, unread] = [await kept.dial(), await kept.dial()];
  await kept.exchange(unsent);
  kept.pool.release(unsent, false);
  await AskingUser.ask(unread);
  kept.pool.release(unread, true);
  assertEquals([unsent.closed, unread.closed, kept.counts.open], [true, true, 0]);
});

Deno.test("a connection that the upstream closes while it idles leaves the pool at once", async () => {
  const close = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send(answerOf("ok"));
    await close.promise;
  });
  using kept = new Kept(upstream.url);
  const connection = await kept.dial();
  await kept.exchange(connection);
  kept.pool.release(connection, true);
  assertEquals(kept.counts.idle, 1);
  close.resolve();
  await until("it is out", () => kept.pool.idleCount === 0);
  assertEquals([kept.counts.open, kept.counts.idle, kept.pool.take()], [0, 0, undefined]);
});

Deno.test("a connection on which a body may follow that none may have is not used again before it was silent for a while", async () => {
  let body = "";
  await using upstream = ScriptedUpstream.start(async (peer) => {
    while (await peer.request() !== undefined) {
      await peer.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n");
      await peer.send(body);
    }
  });
  using kept = new Kept(upstream.url);
  const connection = await kept.dial();
  await kept.exchange(connection);
  kept.pool.release(connection, true);
  assertEquals([kept.pool.take(), kept.counts.idle, kept.pool.idleCount], [undefined, 1, 1]);
  let taken: LentConnection | undefined;
  await until("it has rested", () => (taken = kept.pool.take()) !== undefined);
  assertStrictEquals(taken, connection);
  body = "evil";
  await kept.exchange(connection);
  kept.pool.release(connection, true);
  await until("the body has closed it", () => connection.closed);
  assertEquals([kept.pool.take(), kept.counts.open, kept.counts.idle], [undefined, 0, 0]);
  body = "";
  const last = await kept.dial();
  await kept.exchange(last);
  kept.pool.release(last, true);
  kept.pool.close();
  assertEquals([last.closed, kept.counts.open, kept.counts.idle], [true, 0, 0]);
});

Deno.test("ConnectionPool.keep() keeps a connection that nobody has used, for the next attempt", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  using kept = new Kept(upstream.url);
  const connection = await kept.dial();
  kept.pool.keep(connection);
  assertEquals(kept.counts, { open: 1, idle: 1, dialled: 1, reused: 0 });
  const taken = kept.pool.take();
  assertStrictEquals(taken, connection);
  await kept.exchange(connection);
  assertEquals(upstream.requests.length, 1);
});

Deno.test("ConnectionPool.obtain() with fresh never gives a connection that was used", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  using kept = new Kept(upstream.url);
  const used = await kept.dial();
  await kept.exchange(used);
  const fresh = kept.dial();
  kept.pool.release(used, true);
  assertNotStrictEquals(await fresh, used);
  assertEquals(kept.counts.dialled, 2);
});

Deno.test("ConnectionPool.close() closes what idles, and each connection in use when it is released", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  using kept = new Kept(upstream.url);
  const [idle, used] = [await kept.dial(), await kept.dial()];
  for (const connection of [idle, used]) await kept.exchange(connection);
  kept.pool.release(idle, true);
  kept.pool.close();
  assertEquals([idle.closed, used.closed, kept.counts.open], [true, false, 1]);
  kept.pool.release(used, true);
  assertEquals([used.closed, kept.counts.open, kept.counts.idle], [true, 0, 0]);
});

Deno.test("ConnectionPool.obtain() fails on a pool that is closed while it dials, and leaves no socket", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  using kept = new Kept(upstream.url);
  const dialled = kept.dial();
  kept.pool.close();
  assertEquals((await assertRejects(() => dialled, TransportFailure)).kind, "dropped");
  await until("nothing is open", () => kept.counts.open === 0 && upstream.open === 0);
});

Deno.test("ConnectionPool.destroy() fails exchanges under way", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.closed();
  });
  using kept = new Kept(upstream.url);
  const connection = await kept.dial();
  const asked = assertRejects(() => AskingUser.ask(connection), TransportFailure);
  await until("it is asked", () => upstream.requests.length === 1);
  kept.pool.destroy();
  assertEquals((await asked).kind, "dropped");
  assertEquals(kept.counts.open, 0);
});

Deno.test("IdleRelease.release() closes what idles in all pools, and says whether there was any", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  const idleConnections = new IdleRelease();
  using one = new Kept(upstream.url, { idleConnections });
  using other = new Kept(upstream.url, { idleConnections });
  assert(!await idleConnections.release());
  for (const kept of [one, other]) {
    const connection = await kept.dial();
    await kept.exchange(connection);
    kept.pool.release(connection, true);
  }
  const used = await one.dial();
  assert(await idleConnections.release());
  assertEquals([one.counts.open, other.counts.open, used.closed], [1, 0, false]);
});

/** A driver of sockets that has no handle left for the dials after the first ones. */
function driverWithHandles(handles: number): SocketDriver & { lacked: number } {
  return {
    ...runtimeDriver,
    lacked: 0,
    connect(target, handler) {
      if (handles-- > 0) return runtimeDriver.connect(target, handler);
      this.lacked++;
      const error = Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
      queueMicrotask(() => handler.refused(error));
      return { abandon() {} };
    },
  };
}

Deno.test("ConnectionPool.obtain() without file handles takes a connection that is released, or fails in the end", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  using kept = new Kept(upstream.url);
  const driver = driverWithHandles(1);
  useSocketDriver(driver);
  try {
    const used = await kept.dial();
    await kept.exchange(used);
    const wait = { fresh: false, timeoutMs: 5000 };
    const waits = [kept.pool.obtain(wait), kept.pool.obtain(wait), kept.pool.obtain({ fresh: false, timeoutMs: 100 })];
    const refused = assertRejects(() => waits[2].result, TransportFailure);
    assertEquals((await refused).kind, "shortage");
    for (const { result } of waits.slice(0, 2)) {
      kept.pool.release(used, true);
      assertStrictEquals(await result, used);
      await kept.exchange(used);
    }
    assertEquals(kept.counts, { open: 1, idle: 0, dialled: 1, reused: 2 });
    const { lacked } = driver;
    const [left, next] = [kept.pool.obtain(wait), kept.pool.obtain(wait)];
    await until("both have tried twice", () => driver.lacked >= lacked + 4);
    const leaves = assertRejects(() => left.result, TransportFailure);
    left.leave();
    await leaves;
    kept.pool.release(used, true);
    assertStrictEquals(await next.result, used);
  } finally {
    useSocketDriver(runtimeDriver);
  }
});

Deno.test("ConnectionPool keeps connections that name a client for that client, the latest ones", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  using kept = new Kept(upstream.url);
  const clients = [1, 2, 3].map((port) => ({
    peer: { address: "203.0.113.9", port },
    local: { address: "", port: 80 },
  }));
  const connections: Connection[] = [];
  for (const client of clients) {
    assertEquals(kept.pool.take(client), undefined);
    const connection = await kept.pool.obtain({ fresh: false, timeoutMs: 5000, client }).result as Connection;
    await kept.exchange(connection);
    kept.pool.release(connection, true);
    connections.push(connection);
  }
  // Two are kept.
  assertEquals([connections[0].closed, kept.counts.idle], [true, 2]);
  assertEquals(kept.pool.take(clients[0]), undefined);
  assertStrictEquals(kept.pool.take({ ...clients[1] }), connections[1]);
  assertEquals(kept.pool.take(clients[1]), undefined);
  await kept.exchange(connections[1]);
  kept.pool.release(connections[1], true);
  assertEquals([kept.counts.idle, kept.counts.open], [2, 2]);
});
