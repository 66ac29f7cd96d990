// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { clearWorkerInFlight, IN_FLIGHT_FIELDS, InFlightStore } from "../../lib/features/rate_limit/in_flight_store.ts";
import { rateLimit } from "../../lib/features/rate_limit/rate_limit.ts";
import { rateLimitKeys } from "../../lib/features/rate_limit/rate_limit_schema.ts";
import { serverFamilies } from "../../lib/generation/metrics/families.ts";
import { Exposition } from "../../lib/metrics/exposition.ts";
import { SharedMemoryState } from "../../lib/state/shared_memory_state.ts";
import { LocalState } from "../../lib/state/shared_state.ts";
import { ONLY_WORKER } from "../../lib/state/worker_place.ts";
import { until } from "../support/condition.ts";
import { RunningProxy, type RunningProxyOptions } from "../support/running_proxy.ts";
import type { InFlightTask } from "../support/in_flight_program.ts";

const WORKERS = 3;

Deno.test("InFlightStore counts each key by itself, up to its limit, until the count is released", () => {
  const store = new InFlightStore(64, new LocalState(), { name: "x", worker: ONLY_WORKER });
  const [one, two] = [store.begin("a", 2), store.begin("a", 2)];
  assert(one && two);
  assertEquals([store.begin("a", 2), store.begin("b", 1) !== null], [null, true]);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  assert(store.begin("a", 2));
  assertEquals(store.begin("a", 2), null);
  two[Symbol.dispose]();
  assert(store.begin("a", 2));
});

Deno.test("InFlightStore gives places of idle keys to others, and does not count what has no place", () => {
  const store = new InFlightStore(16, new LocalState(), { name: "x", worker: ONLY_WORKER });
  for (let i = 0; i < 1000; i++) {
    const held = store.begin(`key ${i}`, 1);
    assert(held);
    held[Symbol.dispose]();
  }
  const many = Array.from({ length: 100 }, (_, i) => store.begin(`key ${i}`, 1));
  assertEquals(many.filter(Boolean).length, 16);
  assert(!many.includes(null));
});

Deno.test("InFlightStore never lets more through than its limit, whatever workers do, and forgets those of a dead one", async () => {
  const state = new SharedMemoryState({ index: WORKERS - 1, count: WORKERS });
  const places = Array.from({ length: WORKERS }, (_, index) => ({ index, count: WORKERS }));
  new InFlightStore(16, state, { name: "x", worker: places[WORKERS - 1] });
  const real = new Int32Array(new SharedArrayBuffer(4 * 6));
  const results = await Promise.all(
    places.slice(1).map((worker) => {
      const thread = new Worker(new URL("../support/in_flight_program.ts", import.meta.url).href, { type: "module" });
      const { promise, resolve } = Promise.withResolvers<{ above: number; passed: number }>();
      thread.onmessage = ({ data }) => {
        thread.terminate();
        resolve(data);
      };
      const task: InFlightTask = { table: state.table, worker, real, most: 3, rounds: 200_000 };
      thread.postMessage(task);
      return promise;
    }),
  );
  for (const { above, passed } of results) {
    assertEquals(above, 0);
    assert(passed > 1000, `${passed} passed`);
  }
  const [fields] = state.fieldsBelow(IN_FLIGHT_FIELDS);
  for (const worker of places) clearWorkerInFlight(fields, worker);
  const again = new InFlightStore(16, state, { name: "x", worker: places[0] });
  for (let key = 0; key < 6; key++) {
    const held = Array.from({ length: 4 }, () => again.begin(`key ${key}`, 3));
    assertEquals(held.map((one) => one === null), [false, false, false, true]);
    for (const one of held) one?.[Symbol.dispose]();
  }
});

/** A proxy whose upstream answers `/slow` when it is told to, and opens WebSockets. */
async function limited(
  limit: NonNullable<RunningProxyOptions["site"]>["rate_limit"],
  test: (tools: {
    proxy: RunningProxy;
    waiting: () => number;
    finish: () => void;
    get: (init?: RequestInit) => Promise<number>;
  }) => Promise<void>,
  site: RunningProxyOptions["site"] = {},
): Promise<void> {
  let finish = () => {};
  let waiting = 0;
  let done = Promise.withResolvers<void>();
  const upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    if (request.headers.get("upgrade") === "websocket") return Deno.upgradeWebSocket(request).response;
    waiting++;
    await done.promise;
    waiting--;
    return new Response("done");
  });
  finish = () => {
    done.resolve();
    done = Promise.withResolvers();
  };
  try {
    await using proxy = await RunningProxy.start({
      upstreams: [`http://127.0.0.1:${upstream.addr.port}`],
      proxy: { routes: [{ path: "/", upstream: "app", websocket: true }] },
      site: { name: "shop", rate_limit: limit, ...site },
      metrics: true,
    });
    const get = async (init: RequestInit = {}) => {
      const response = await fetch(`http://127.0.0.1:${proxy.port}/`, init);
      await response.text();
      return response.status;
    };
    await test({ proxy, waiting: () => waiting, finish: () => finish(), get }).finally(finish);
  } finally {
    await upstream.shutdown();
  }
}

Deno.test("rate_limit limits requests in flight, released by their end, their client or their WebSocket", async () => {
  await limited({ max_in_flight: 2 }, async ({ proxy, waiting, finish, get }) => {
    const leaving = new AbortController();
    const left = get({ signal: leaving.signal }).catch(() => 499);
    const whole = get();
    await until("two requests wait", () => waiting() === 2);
    assertEquals(await get(), 429);
    leaving.abort();
    assertEquals(await left, 499);
    await until("the one that left is released", () => proxy.inFlight === 1);
    const third = get();
    await until("a third request waits", () => waiting() >= 2 && proxy.inFlight === 2);
    assertEquals(await get(), 429);
    finish();
    assertEquals([await whole, await third], [200, 200]);
    await until("both have ended", () => proxy.generation.underWay === 0);
    const opened = async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
      return await promise ? socket : undefined;
    };
    const sockets = [await opened(), await opened()];
    assertEquals(await opened(), undefined);
    assertEquals(await get(), 429);
    sockets[0]?.close();
    await until("a WebSocket is closed", () => proxy.generation.underWay === 1);
    const fourth = get();
    await until("a fourth request waits", () => waiting() === 1);
    finish();
    assertEquals(await fourth, 200);
    sockets[1]?.close();
    await proxy.idle(10_000);
    const text = new Exposition(serverFamilies({ generation: () => proxy.generation })).write("prometheus");
    const labels = 'site="shop",route="",limit="in_flight",action="refused"';
    assertEquals(/^bws_rate_limit_exceeded_total\{(.*in_flight.*refused.*)\} (\d+)$/m.exec(text)?.slice(1), [
      labels,
      "4",
    ]);
  });
});

Deno.test("rate_limit by user counts each user, after authentication", async () => {
  const hash = "$2a$04$E0rRCJUDcWrVoKEfKv6C2u.Cdv4vCFcVkHJvBdoP40uSFubQkTSui";
  const users = { ann: hash, bob: hash };
  const limit = { rate: "1/h", burst: 1, max_in_flight: 10, key: "user" };
  await limited(limit, async ({ finish, waiting, get }) => {
    const asked = (user: string, password = "secret") =>
      get({ headers: { authorization: `Basic ${btoa(`${user}:${password}`)}` } });
    const [ann, bob] = [asked("ann"), asked("bob")];
    await until("both users' requests wait", () => waiting() === 2);
    assertEquals([await asked("ann"), await asked("bob")], [429, 429]);
    finish();
    assertEquals([await ann, await bob], [200, 200]);
    assertEquals([await asked("carl"), await asked("carl")], [401, 401]);
  }, { basic_auth: { users } });
});

Deno.test("rate_limit wants a limit, and a dry run lets all through", async () => {
  const found: string[] = [];
  const note = (_: unknown, { message }: { message: string }) => void found.push(message);
  for (const table of [{}, { burst: 5, max_in_flight: 5 }, { enabled: false }]) {
    rateLimit.check(rateLimitKeys.parse(table), { error: note, warning: note });
  }
  assertEquals(found, ["rate_limit has no limit", "burst has no effect without rate"]);
  await limited({ max_in_flight: 1, dry_run: true }, async ({ finish, waiting, get }) => {
    const requests = [get(), get(), get()];
    await until("all wait", () => waiting() === 3);
    finish();
    assertEquals(await Promise.all(requests), [200, 200, 200]);
  });
});
