// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { until } from "../support/condition.ts";
import { statusOf } from "../support/message_reader.ts";
import { MoodyUpstream } from "../support/moody_upstream.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { ProxyProcess } from "../support/proxy_process.ts";

Deno.test("1,000 clients that ask and leave at once leave no connection to the upstream", async () => {
  await using upstream = new MoodyUpstream();
  await using proxy = await ProxyProcess.start({
    upstreams: [upstream.url],
    proxy: { connections: { idle_timeout: "100ms" } },
  });
  // What the runtime opens once for its own use is open by then.
  assertEquals(statusOf(await exchange(proxy.port, get("/"))), 200);
  const before = await proxy.settled(({ upstreamConnections }) => upstreamConnections === 0, 15_000);
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 50 }, async () => {
      const client = await RawClient.connect(proxy.port);
      await client.send(get("/"));
      client.close();
    }));
  }
  const after = await proxy.settled(({ sockets, inFlight }) => sockets <= before.sockets && inFlight === 0, 15_000);
  assertEquals([after.sockets, after.inFlight, after.upstreamConnections], [before.sockets, 0, 0]);
});

Deno.test({
  name: "file handles that run out are the proxy's failure: 503, and no upstream is ejected",
  // Passes alone; beside the whole suite its proxy sometimes does not answer again. To be found out.
  ignore: Deno.env.get("BWS_TEST_SHORTAGE") === undefined || Deno.build.os === "windows",
  fn: async () => {
    await using one = new MoodyUpstream();
    await using other = new MoodyUpstream();
    await using proxy = await ProxyProcess.start({
      upstreams: [one.url, other.url],
      proxy: {
        passive_health: { max_fails: 1, eject_for: "10m" },
        circuit_breaker: { min_requests: 2, open_for: "10m" },
      },
    }, 100);
    one.mood = other.mood = "hold";
    const clients: RawClient[] = [];
    // Each takes two handles: more than there are for all, and enough for each client alone.
    for (let i = 0; i < 45; i++) {
      const client = await RawClient.connect(proxy.port);
      clients.push(client);
      await client.send(get("/"));
    }
    await proxy.settled(({ inFlight }) => inFlight + 1 >= 20, 10_000);
    one.mood = other.mood = 200;
    const answers = clients.map((client) => client.answer().then(statusOf, () => 0));
    const refused = await Promise.race([
      Promise.any(answers.map((answer) => answer.then((status) => status === 503 || Promise.reject(status)))),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 10_000)),
    ]);
    assert(refused, "some are refused");
    one.release();
    other.release();
    const statuses = await Promise.all(answers);
    for (const client of clients) client.close();
    const of503 = statuses.filter((status) => status === 503).length;
    assertGreater(of503, 0);
    assertLess(of503, 45);
    assertEquals(statuses.filter((status) => status !== 503 && status !== 200 && status !== 0), []);
    // The port may have been closed for lack of handles, and is opened again.
    const served = () => exchange(proxy.port, get("/")).then((answer) => statusOf(answer) === 200, () => false);
    await until("the port is open", served, 10_000);
    // Had one been ejected, or its breaker been opened, all would go to the other.
    const before = [one.requests, other.requests];
    for (let i = 0; i < 8; i++) assertEquals(statusOf(await exchange(proxy.port, get("/"))), 200);
    assertEquals([one.requests - before[0], other.requests - before[1]], [4, 4]);
  },
});

Deno.test({
  name: "idle connections to upstreams are closed before a request is refused for lack of file handles",
  // Passes alone; beside the whole suite its proxy sometimes does not answer again. To be found out.
  ignore: Deno.env.get("BWS_TEST_SHORTAGE") === undefined || Deno.build.os === "windows",
  fn: async () => {
    await using kept = new MoodyUpstream();
    await using wanted = new MoodyUpstream();
    await using proxy = await ProxyProcess.start({
      upstreams: [],
      proxy: {
        upstreams: [{ name: "kept", url: kept.url }, { name: "wanted", url: wanted.url }],
        connections: { max_idle: 100, idle_timeout: "10m" },
        routes: [{ path: "/kept", upstream: "kept" }, { path: "/wanted", upstream: "wanted" }],
      },
    }, 160);
    kept.mood = wanted.mood = "hold";
    const ask = async (clients: readonly RawClient[], path: string, upstream: MoodyUpstream) => {
      for (const client of clients) await client.send(get(path));
      await proxy.settled(({ inFlight }) => inFlight === clients.length, 1000);
      // What has not arrived yet is not held.
      upstream.mood = 200;
      upstream.release();
      const statuses = await Promise.all(clients.map((client) => client.answer().then(statusOf, () => 0)));
      for (const client of clients) client.close();
      return statuses;
    };
    const connect = (count: number) => Promise.all(Array.from({ length: count }, () => RawClient.connect(proxy.port)));
    assertEquals(new Set(await ask(await connect(50), "/kept", kept)), new Set([200]));
    const { upstreamConnections } = await proxy.settled(({ sockets }) => sockets < 60, 5000);
    assertEquals(upstreamConnections, 50);
    // Two handles for each: fewer are left than that, and more than one for each.
    assertEquals(new Set(await ask(await connect(50), "/wanted", wanted)), new Set([200]));
    assertLess((await proxy.status()).upstreamConnections, 100);
  },
});
