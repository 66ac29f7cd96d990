/**
 * Another config while the server runs: what goes on, what changes at once, and what keeps its state.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { ListenError } from "../../lib/process/listener.ts";
import { askOften, ClosedLoop } from "../support/closed_loop.ts";
import { until } from "../support/condition.ts";
import { header } from "../support/message_reader.ts";
import { freePort, portIsFree } from "../support/port.ts";
import { get, RawClient } from "../support/raw_client.ts";
import { ReloadedProxy, THREADS } from "../support/reloaded_proxy.ts";
import { configOf } from "../support/running_proxy.ts";
import { TallyingUpstream } from "../support/tallying_upstream.ts";

for (const [name, workers] of THREADS) {
  Deno.test(`reload() with ${name}: once it has settled, every request goes the new way, and none was lost`, async () => {
    await using old = TallyingUpstream.start({ name: "old" });
    await using young = TallyingUpstream.start({ name: "young" });
    await using proxy = await ReloadedProxy.start(workers, configOf({ upstreams: [old.url] }));
    await using loop = new ClosedLoop({ port: proxy.port(), clients: 16 });
    await until("load", () => loop.answered > 100);
    const address = proxy.server.addresses[0];
    await proxy.reload(configOf({ upstreams: [young.url] }));
    const before = old.count;
    const { answered } = loop;
    await until("load goes on", () => loop.answered > answered + 200);
    // Each connection may have had one request under way.
    assertLessOrEqual(old.count, before + 16);
    await loop.stop();
    assertEquals(loop.failed, 0, loop.failures[0]);
    assertEquals(proxy.server.addresses, [address]);
  });

  Deno.test(`reload() with ${name}: what is under way ends under the old config`, async () => {
    await using old = TallyingUpstream.start({ name: "old" });
    await using young = TallyingUpstream.start({ name: "young" });
    await using proxy = await ReloadedProxy.start(workers, configOf({ upstreams: [old.url] }));
    old.hold();
    const held = new ClosedLoop({ port: proxy.port(), clients: 12, requests: 12 });
    await until("all are held", () => old.open === 12);
    await proxy.reload(configOf({ upstreams: [young.url] }));
    // Twice: a generation must outlast more than one of its successors.
    await proxy.reload(configOf({ upstreams: [young.url] }));
    assertEquals([...(await askOften({ port: proxy.port(), clients: 8, requests: 40 })).upstreams], [["young", 40]]);
    old.letGo();
    await held.done;
    assertEquals([...held.upstreams], [["old", 12]]);
  });

  Deno.test(`reload() with ${name}: a connection of a client lives on where its port stays`, async () => {
    await using old = TallyingUpstream.start({ name: "old" });
    await using young = TallyingUpstream.start({ name: "young" });
    await using proxy = await ReloadedProxy.start(workers, configOf({ upstreams: [old.url] }));
    using client = await RawClient.connect(proxy.port());
    await client.send(get("/"));
    assertEquals(header(await client.answer(), "x-upstream"), "old");
    await proxy.reload(configOf({ upstreams: [young.url] }));
    await client.send(get("/"));
    assertEquals(header(await client.answer(), "x-upstream"), "young");
  });

  Deno.test(`reload() with ${name}: ports are opened and closed, and opened again at once`, async () => {
    await using upstream = TallyingUpstream.start();
    const one = configOf({ upstreams: [upstream.url], site: { name: "first" } });
    const port = freePort();
    const two: ConfigInput = {
      ...one,
      sites: [...one.sites, ...configOf({ upstreams: [upstream.url], site: { name: "second", port } }).sites],
    };
    await using proxy = await ReloadedProxy.start(workers, one);
    for (let round = 0; round < 5; round++) {
      await proxy.reload(two);
      assertEquals(proxy.port(1), port);
      assertEquals([...(await askOften({ port, clients: 4, requests: 8 })).statuses], [[200, 8]]);
      await proxy.reload(one);
      assertEquals(proxy.server.addresses.length, 1);
    }
    await until("the port is closed", () => portIsFree(port));
  });

  Deno.test(`reload() with ${name}: what is known of upstreams that stay is kept`, async () => {
    await using good = TallyingUpstream.start({ name: "good" });
    await using bad = TallyingUpstream.start({ name: "bad" });
    const config = (read: string) =>
      configOf({
        upstreams: [{ url: good.url, max_connections: 2 }, bad.url],
        proxy: { timeout: { read }, passive_health: { max_fails: 1, eject_for: "10m" } },
      });
    await using proxy = await ReloadedProxy.start(workers, config("30s"));
    bad.status = 500;
    await askOften({ port: proxy.port(), clients: 2, requests: 10 });
    good.hold();
    const held = new ClosedLoop({ port: proxy.port(), clients: 2, requests: 2 });
    await until("two are held", () => good.open === 2);
    await proxy.reload(config("31s"));
    assertEquals(proxy.upstreams.map(({ state }) => state), ["active", "ejected"]);
    // Clients have their responses some time before the attempts in other threads have ended.
    await until("two are in flight", () => proxy.upstreams.map(({ inFlight }) => inFlight).join() === "2,0");
    bad.reset();
    const waiting = new ClosedLoop({ port: proxy.port(), clients: 4, requests: 4 });
    good.letGo();
    await Promise.all([held.done, waiting.done]);
    assertEquals([held.failed, waiting.failed, bad.count], [0, 0, 0]);
    assertEquals(good.peak, 2);
  });

  Deno.test(`reload() with ${name}: a breaker stays open, and what probes have found stays true`, async () => {
    await using tripped = TallyingUpstream.start();
    await using down = TallyingUpstream.start();
    await using fine = TallyingUpstream.start({ name: "fine" });
    const config = (read: string) =>
      configOf({
        upstreams: [tripped.url, down.url, fine.url],
        proxy: {
          timeout: { read },
          passive_health: { enabled: false },
          circuit_breaker: { min_requests: 3, open_for: "10m" },
          // A busy machine must not make the one that is fine unhealthy.
          health_check: {
            path: "/probe",
            interval: "100ms",
            timeout: "60s",
            unhealthy_after: 1,
            expect_status: ["200", 500],
          },
        },
      });
    await using proxy = await ReloadedProxy.start(workers, config("30s"));
    tripped.status = 500;
    down.status = 503;
    await until("both are out", () => {
      new ClosedLoop({ port: proxy.port(), clients: 1, requests: 1 });
      return proxy.upstreams[0].state === "breaker_open" && proxy.upstreams[1].state === "unhealthy";
    });
    await until("nothing is in flight", () => proxy.inFlight === 0);
    for (const read of ["31s", "32s", "33s"]) {
      await proxy.reload(config(read));
      assertEquals(proxy.upstreams.map(({ state }) => state), ["breaker_open", "unhealthy", "active"]);
      const { upstreams } = await askOften({ port: proxy.port(), clients: 4, requests: 20 });
      assertEquals([...upstreams], [["fine", 20]]);
    }
    const { length } = down.paths.filter((path) => path === "/probe");
    // Old generations do not probe on: four of them would come four times as often.
    const startedMs = performance.now();
    const probes = () => down.paths.filter((path) => path === "/probe").length - length;
    await until("it is probed on", () => probes() >= 8);
    assertLessOrEqual(probes(), (performance.now() - startedMs) / 90 + 2);
  });

  Deno.test(`reload() with ${name}: a config that cannot be put in place changes nothing`, async () => {
    await using upstream = TallyingUpstream.start({ name: "old" });
    await using other = TallyingUpstream.start({ name: "new" });
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const opened = freePort();
    await using proxy = await ReloadedProxy.start(workers, configOf({ upstreams: [upstream.url] }));
    await using loop = new ClosedLoop({ port: proxy.port(), clients: 8 });
    await until("load", () => loop.answered > 100);
    const { generation } = proxy.server;
    const good = configOf({ upstreams: [other.url] });
    const site = (port: number) => configOf({ upstreams: [other.url], site: { name: `on ${port}`, port } }).sites[0];
    // The free port is opened before it turns out that the other one cannot be.
    const refused = { ...good, sites: [...good.sites, site(opened), site(port)] };
    await assertRejects(() => proxy.reload(refused), ListenError, `127.0.0.1:${port}: the port is in use`);
    // A file that is gone again when it is read.
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, "-----BEGIN CERTIFICATE-----\n");
    const upstreams = [{ url: "https://127.0.0.1:1", tls: { ca_file: file } }];
    const { config: unreadable } = resolveConfig(configOf({ upstreams }));
    await Deno.remove(file);
    await assertRejects(() => proxy.server.reload(unreadable), Error, "No such file");
    assertEquals(proxy.server.generation, generation);
    assertEquals(proxy.server.addresses.length, 1);
    await until("the port is closed", () => portIsFree(opened));
    const { answered } = loop;
    await until("load goes on", () => loop.answered > answered + 100);
    assertEquals(other.count, 0);
    await proxy.reload(good);
    await until("the next one is taken", () => other.count > 20);
    await loop.stop();
    assertEquals(loop.failed, 0, loop.failures[0]);
  });
}

Deno.test({
  name: "reload() that turns passive health off leaves no upstream ejected for ever",
  // An exchange of the old generation sets the flag after the new one has looked; nobody there ever clears it.
  fn: async () => {
    await using bad = TallyingUpstream.start({ name: "bad" });
    await using good = TallyingUpstream.start({ name: "good" });
    const config = (enabled: boolean) =>
      configOf({ upstreams: [bad.url, good.url], proxy: { passive_health: { enabled, max_fails: 1 } } });
    await using proxy = await ReloadedProxy.start(0, config(true));
    bad.status = 500;
    bad.hold();
    const held = new ClosedLoop({ port: proxy.port(), clients: 2, requests: 2 });
    await until("one is held", () => bad.open === 1 && held.answered === 1);
    await proxy.reload(config(false));
    bad.letGo();
    await held.done;
    bad.status = 200;
    const { upstreams } = await askOften({ port: proxy.port(), clients: 1, requests: 10 });
    assertEquals([...upstreams].toSorted(), [["bad", 5], ["good", 5]]);
  },
});

Deno.test("reload() of a server that is stopping is refused, and opens no port", async () => {
  await using upstream = TallyingUpstream.start();
  const one = configOf({ upstreams: [upstream.url] });
  const port = freePort();
  const two = { ...one, sites: [...one.sites, ...configOf({ upstreams: [upstream.url], site: { port } }).sites] };
  const proxy = await ReloadedProxy.start(0, one);
  const reloaded = proxy.reload(two);
  const refused = assertRejects(() => reloaded, Error, "the server is stopping");
  const stopped = proxy.server.stop();
  await refused;
  assertEquals(await stopped, 0);
  assertEquals(portIsFree(port), true);
});
