// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreater, assertLess } from "@std/assert";
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
  const before = await proxy.status();
  assertEquals(statusOf(await exchange(proxy.port, get("/"))), 200);
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
  ignore: Deno.build.os !== "linux",
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
    // Two handles for each: more than there are for all, and one for each is there.
    const clients = await acceptedClients(proxy, 45);
    try {
      for (const client of clients) await client.send(get("/"));
      const settled = clients.map((client) => client.answer().then(statusOf, () => 0));
      let ended = 0;
      for (const status of settled) status.then(() => ended++);
      await until("each is refused or held", () => ended + one.requests + other.requests === 45, 20_000);
      const refused = ended;
      assertGreater(refused, 0);
      assertLess(refused, 45);
      const held = 45 - refused;
      one.mood = other.mood = 200;
      // Those that were refused are kept alive, so there is no handle left to accept a connection with: the port is closed,
      // and opened again with the handles of those that idle, while the others are under way.
      const served = () => exchange(proxy.port, get("/")).then((response) => statusOf(response) === 200, () => false);
      await until("the port is open", served, 10_000);
      assertEquals((await proxy.settled(({ inFlight }) => inFlight === held, 1000)).inFlight, held);
      one.release();
      other.release();
      const statuses = await Promise.all(settled);
      assertEquals([count(statuses, 503), count(statuses, 200)], [refused, held]);
    } finally {
      for (const client of clients) client.close();
    }
    // Had one been ejected, or its breaker been opened, all would go to the other.
    const before = [one.requests, other.requests];
    for (let i = 0; i < 8; i++) assertEquals(statusOf(await exchange(proxy.port, get("/"))), 200);
    assertEquals([one.requests - before[0], other.requests - before[1]], [4, 4]);
  },
});

Deno.test({
  name: "idle connections to upstreams are closed before a request is refused for lack of file handles",
  ignore: Deno.build.os !== "linux",
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
    const { sockets: atRest } = await proxy.status();
    const ask = async (path: string, upstream: MoodyUpstream) => {
      const clients = await acceptedClients(proxy, 50);
      for (const client of clients) await client.send(get(path));
      await until("all are held", () => upstream.requests === 50, 10_000);
      upstream.release();
      const statuses = await Promise.all(clients.map((client) => client.answer().then(statusOf, () => 0)));
      for (const client of clients) client.close();
      return count(statuses, 200);
    };
    assertEquals(await ask("/kept", kept), 50);
    const idle = await proxy.settled(({ sockets }) => sockets === atRest + 50, 5000);
    assertEquals([idle.upstreamConnections, idle.sockets], [50, atRest + 50]);
    // Two handles for each: fewer are left than that, and more than one for each.
    assertEquals(await ask("/wanted", wanted), 50);
    assertLess((await proxy.status()).upstreamConnections, 100);
  },
});

/**
 * Connections that the proxy has accepted. The system completes a connection before that, and where no handle is left when
 * its turn comes, it is reset without an answer.
 */
async function acceptedClients(proxy: ProxyProcess, wanted: number): Promise<RawClient[]> {
  const { sockets: before } = await proxy.status();
  const clients = await Promise.all(Array.from({ length: wanted }, () => RawClient.connect(proxy.port)));
  const { sockets } = await proxy.settled(({ sockets }) => sockets === before + wanted, 5000);
  assertEquals(sockets, before + wanted);
  return clients;
}

function count(statuses: readonly number[], status: number): number {
  return statuses.filter((each) => each === status).length;
}
