// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { RunningManagement } from "../admin/running_management.ts";
import { until } from "../support/condition.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { statusOf } from "../support/message_reader.ts";
import { MoodyUpstream } from "../support/moody_upstream.ts";
import { RawClient } from "../support/raw_client.ts";
import { openConnections } from "../support/open_connections.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { WorkersProxy } from "../support/running_workers.ts";

const UPSTREAMS = ["http://127.0.0.1:1"];

/** Keeps ports that close from being opened again, until it is disposed of. */
function nothingOpens(): Disposable {
  const { serve } = Deno;
  Object.assign(Deno, {
    serve: () => {
      throw new Error("Too many open files (os error 24)");
    },
  });
  return { [Symbol.dispose]: () => void Object.assign(Deno, { serve }) };
}

Deno.test("A port that is closed is reported by the management API and by the metrics", async () => {
  await using running = await RunningManagement.start({ upstreams: UPSTREAMS, server: { listener: "runtime" } });
  const [{ port }] = running.server.addresses;
  const before = (await running.told("/api/status")).ports;
  assertEquals(before, [
    {
      ...{ address: "127.0.0.1", port, listener: "runtime", open: true, closedForMs: null },
      ...{ failingForMs: null, reason: null, reopenings: 0, connections: null },
    },
  ]);
  assertStringIncludes(
    await (await running.ask("/metrics")).text(),
    `bws_listener_up{address="127.0.0.1",port="${port}"} 1\n`,
  );
  {
    using _ = nothingOpens();
    running.server.releaseIdle(true);
    const [closed] = (await running.told("/api/status")).ports;
    assertEquals([closed.address, closed.port, closed.open, closed.reopenings], ["127.0.0.1", port, false, 0]);
    assertEquals(closed.closedForMs >= 0, true);
    assertEquals(typeof closed.reason, "string");
    const metrics = await (await running.ask("/metrics")).text();
    assertStringIncludes(metrics, `bws_listener_up{address="127.0.0.1",port="${port}"} 0\n`);
    assertStringIncludes(metrics, `bws_listener_reopened_total{address="127.0.0.1",port="${port}"} 0\n`);
  }
});

Deno.test("While a port is closed, no site is ready, and each says why", async () => {
  await using proxy = await RunningProxy.start({ upstreams: UPSTREAMS, site: { internal_api: true } });
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${proxy.port}${path}`);
    return [response.status, (await response.json()).missing];
  };
  const why = ["a port is closed that should be open"];
  assertEquals(await ask("/api/health/ready"), [200, undefined]);
  proxy.generation.processState.failedPorts.own[0] = 1;
  assertEquals(await ask("/api/health/ready"), [503, why]);
  assertEquals(await ask("/api/health"), [503, why]);
  assertEquals(await ask("/api/health/live"), [200, undefined]);
  proxy.generation.processState.failedPorts.own[0] = 0;
  assertEquals(await ask("/api/health/ready"), [200, undefined]);
});

Deno.test("While a port of one worker is closed, no worker's sites are ready", async () => {
  await using proxy = await WorkersProxy.start(2, { upstreams: UPSTREAMS, site: { internal_api: true } });
  const ready = async () => {
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const response = await fetch(`http://127.0.0.1:${proxy.port}/api/health/ready`, { client });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await ready(), 200);
  proxy.server.generation.processState.failedPorts.all[0][0] = 1;
  // Each over a connection of its own, so that both workers are asked.
  for (let i = 0; i < 16; i++) assertEquals(await ready(), 503);
  proxy.server.generation.processState.failedPorts.all[0][0] = 0;
  assertEquals(await ready(), 200);
});

Deno.test("Connections to upstreams that idle are given up when file handles have run out", async () => {
  const upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("up"));
  {
    await using proxy = await RunningProxy.start({
      upstreams: [`http://127.0.0.1:${upstream.addr.port}`],
      metrics: true,
    });
    await (await fetch(`http://127.0.0.1:${proxy.port}/`)).text();
    await proxy.idle();
    assertEquals(proxy.upstreams[0].connections.idleCount, 1);
    proxy.server.releaseIdle(false);
    assertEquals(openConnections(proxy.generation), 0);
    assertEquals(await (await fetch(`http://127.0.0.1:${proxy.port}/`)).text(), "up");
  }
  await upstream.shutdown();
});

Deno.test("An upload that the runtime cuts because file handles have run out is a failure of the proxy", async () => {
  await using upstream = new MoodyUpstream();
  await using proxy = await LoggedProxy.start({ upstreams: [upstream.url], server: { listener: "runtime" } });
  const [member] = proxy.server.generation.sites.flatMap((site) =>
    [...site.pools.values()].flatMap((pool) => [...pool.upstreams])
  );
  using client = await RawClient.connect(proxy.port);
  await client.send("POST /cut HTTP/1.1\r\nHost: site.test\r\nContent-Length: 100\r\n\r\nabc");
  await until("the upload is under way", () => member.inFlight === 1);
  proxy.server.releaseIdle(true);
  assertEquals(statusOf(await client.answer()), 503);
  const { status, cause, cause_owner: owner } = await proxy.accessLine("/cut");
  assertEquals([status, owner], [503, "proxy"]);
  assertEquals(cause, "The port was closed while the body was arriving: file handles had run out");
  assertEquals(member.inFlight, 0);
});
