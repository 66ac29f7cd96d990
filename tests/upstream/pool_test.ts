// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { CoarseClock } from "../../lib/state/coarse_clock.ts";
import { parseEndpoint } from "../../lib/sockets/endpoint.ts";
import { Pool } from "../../lib/upstream/pool.ts";
import { Upstream } from "../../lib/upstream/upstream.ts";

function upstream(port: number): Upstream {
  const url = `http://127.0.0.1:${port}`;
  return new Upstream({
    url,
    endpoint: parseEndpoint(url),
    weight: 1,
    maxConnections: 1,
    clock: new CoarseClock(),
    readTimeoutMs: 1000,
    writeTimeoutMs: 1000,
    clientTimeoutMs: 1000,
    idle_timeout: 1000,
    max_idle: 1,
    maxHeadBytes: 16384,
  });
}

function poolOf(queue_size = 10, queue_timeout = 20_000): { pool: Pool; first: Upstream; second: Upstream } {
  const [first, second] = [upstream(1), upstream(2)];
  const policy = { pick: () => [first, second].find((candidate) => candidate.available), update: () => {} };
  return {
    pool: new Pool({
      ...{ name: "p", upstreams: [first, second], createPolicy: () => policy },
      ...{ connections: { queue_size, queue_timeout }, passiveHealth: { max_ejected_percent: 50 } },
      loadBalancing: { when_all_unhealthy: "reject" },
    }),
    first,
    second,
  };
}

const NOBODY = new AbortController().signal;

Deno.test("Slot.release() gives its place back once", () => {
  const { first } = poolOf();
  const slot = first.acquireAnyway();
  assertEquals([first.inFlight, first.available], [1, false]);
  slot.release();
  slot.release();
  assertEquals([first.inFlight, first.available], [0, true]);
  {
    using _held = first.acquireAnyway();
    assertEquals(first.inFlight, 1);
  }
  assertEquals(first.inFlight, 0);
});

Deno.test("Pool.waitForRoom() wakes in the order of the line", async () => {
  const { pool, first } = poolOf();
  const slots = [first.acquireAnyway(), first.acquireAnyway()];
  const order: number[] = [];
  const waits = [1, 2].map((name) => pool.waitForRoom(NOBODY, undefined).then(() => order.push(name)));
  assertEquals(pool.waitingCount, 2);
  for (const slot of slots) slot.release();
  await Promise.all(waits);
  assertEquals(order, [1, 2]);
  assertEquals(pool.waitingCount, 0);
});

Deno.test("Pool.waitForRoom() does not waste a wake-up on one who cannot use it", async () => {
  const { pool, first } = poolOf();
  const slot = first.acquireAnyway();
  const leave = new AbortController();
  const stuck = pool.waitForRoom(leave.signal, [first]);
  const useful = pool.waitForRoom(NOBODY, undefined);
  slot.release();
  assertEquals(await useful, true);
  leave.abort();
  assertEquals(await stuck, false);
});

Deno.test("Pool.waitForRoom() is bounded in number and in time, and ends when the client leaves", async () => {
  const { pool } = poolOf(1, 10);
  const waiting = pool.waitForRoom(NOBODY, undefined);
  assertEquals(await pool.waitForRoom(NOBODY, undefined), false);
  assertEquals(await waiting, false);
  assertEquals(pool.waitingCount, 0);
});

Deno.test("Pool.waitForRoom() bounds all waits of an exchange together", async () => {
  const { pool, first } = poolOf(10, 20_000);
  const slot = first.acquireAnyway();
  const queueBudget = { waitedMs: 0 };
  setTimeout(() => slot.release(), 5);
  assertEquals(await pool.waitForRoom(NOBODY, undefined, queueBudget), true);
  assertEquals(queueBudget.waitedMs > 0, true);
  // Called, but too late; what it has waited before leaves it no time to be called again.
  queueBudget.waitedMs += 20_000;
  assertEquals(await pool.waitForRoom(NOBODY, undefined, queueBudget), false);
});
