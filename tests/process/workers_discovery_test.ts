/**
 * Names of upstreams with several workers: one looks them up, all agree.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { askOften, ClosedLoop } from "../support/closed_loop.ts";
import { until } from "../support/condition.ts";
import { DnsServer } from "../support/dns_server.ts";
import { freePort } from "../support/port.ts";
import { ReloadedProxy } from "../support/reloaded_proxy.ts";
import { configOf } from "../support/running_proxy.ts";

Deno.test("workers follow the addresses of a name together, and share what is known of them, through a reload too", async () => {
  await using dns = DnsServer.start();
  const [one, two] = ["127.0.0.1", "127.0.0.2"];
  const counts: Record<string, number> = { [one]: 0, [two]: 0 };
  const servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  const serve = (hostname: string, port: number) => {
    servers.push(Deno.serve({ hostname, port, onListen: () => {} }, () => {
      counts[hostname]++;
      return new Response("ok");
    }));
    return servers[servers.length - 1].addr.port;
  };
  const port = serve(one, freePort());
  serve(two, port);
  const point = (...addresses: string[]) =>
    dns.set("app.test", "A", addresses.map((address) => ({ type: "A", address, ttlSeconds: 1 })));
  point(one);
  const config = (read: string) =>
    configOf({
      upstreams: [{ url: `http://app.test:${port}`, resolve_interval: "1s" }],
      proxy: { timeout: { read } },
      server: { name_servers: [`127.0.0.1:${dns.port}`] },
    });
  const startedMs = performance.now();
  await using proxy = await ReloadedProxy.start(2, config("30s"));
  await using loop = new ClosedLoop({ port: proxy.port(), clients: 12 });
  await until("load", () => loop.answered > 100);
  assertEquals(counts[two], 0);
  point(one, two);
  await until("both are used", () => counts[two] > 50, 10_000);
  // One asks for all, once a second, and once more at the start; each worker by itself would ask three times as often.
  const seconds = (performance.now() - startedMs) / 1000;
  assertLessOrEqual(dns.asked("app.test", "A"), 1.2 * seconds + 3);
  await proxy.reload(config("31s"));
  const before = { ...counts };
  await askOften({ port: proxy.port(), clients: 4, requests: 100 });
  assertGreater(counts[two], before[two] + 20);
  point(two);
  await until("the first is in no pool any more", () => proxy.upstreams.length === 1, 10_000);
  await loop.stop();
  // Each worker hears of it by itself, some time after the supervisor.
  await until("no worker sends anything to the first", async () => {
    counts[one] = 0;
    assertEquals([...(await askOften({ port: proxy.port(), clients: 12, requests: 60 })).statuses], [[200, 60]]);
    return counts[one] === 0;
  }, 10_000);
  assertEquals(loop.failed, 0, loop.failures[0]);
  await Promise.all(servers.map((server) => server.shutdown()));
});
