// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../support/condition.ts";
import { statusOf } from "../support/message_reader.ts";
import { MoodyUpstream } from "../support/moody_upstream.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { ScriptedUpstream } from "../support/scripted_upstream.ts";

/** One failure ejects; the pool has two, so that it may. */
const strict = { passive_health: { max_fails: 1, eject_for: "10m" }, load_balancing: { method: "first" } };

Deno.test("silence is no failure of the upstream on a route that says so, and is one elsewhere", async () => {
  await using one = new MoodyUpstream();
  await using other = new MoodyUpstream();
  one.mood = "hold";
  const route = { upstream: "app", timeout: { read: "200ms" } };
  await using proxy = await RunningProxy.start({
    upstreams: [one.url, other.url],
    proxy: {
      ...strict,
      circuit_breaker: { min_requests: 2, failure_ratio: 0.1 },
      routes: [{ ...route, path: "/poll", streaming: true }, { ...route, path: "/" }],
    },
  });
  for (let i = 0; i < 3; i++) assertEquals(statusOf(await exchange(proxy.port, get("/poll"))), 504);
  assertEquals(proxy.upstreams[0].state, "active");
  assertEquals(statusOf(await exchange(proxy.port, get("/"))), 504);
  assertEquals(proxy.upstreams[0].state, "ejected");
});

Deno.test("a slow response says nothing of the upstream on a route for long polls", async () => {
  await using one = new MoodyUpstream();
  await using other = new MoodyUpstream();
  one.delayMs = 200;
  await using proxy = await RunningProxy.start({
    upstreams: [one.url, other.url],
    proxy: {
      ...strict,
      passive_health: { max_fails: 1, slow_after: "50ms" },
      routes: [{ path: "/poll", upstream: "app", streaming: true }, { path: "/", upstream: "app" }],
    },
  });
  assertEquals(statusOf(await exchange(proxy.port, get("/poll"))), 200);
  assertEquals([proxy.upstreams[0].state, proxy.upstreams[0].latencyMs], ["active", 0]);
  assertEquals(statusOf(await exchange(proxy.port, get("/"))), 200);
  assertEquals(proxy.upstreams[0].state, "ejected");
});

for (const [type, state] of [["text/event-stream; charset=utf-8", "active"], ["text/plain", "ejected"]]) {
  Deno.test(`an upstream that is silent within a body of ${type} is then ${state}`, async () => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    await using upstream = ScriptedUpstream.start(async (peer) => {
      await peer.request();
      await peer.send(`${head}6\r\ndata: \r\n`);
      await peer.closed();
    });
    await using other = new MoodyUpstream();
    await using proxy = await RunningProxy.start({
      upstreams: [upstream.url, other.url],
      proxy: { ...strict, timeout: { read: "500ms" } },
    });
    const client = await RawClient.connect(proxy.port);
    await client.send(get("/"));
    await client.answer().catch(() => {});
    client.close();
    await until("the upstream is let go", () => upstream.open === 0);
    await proxy.idle();
    assertEquals(proxy.upstreams[0].state, state);
  });
}

Deno.test("timeout of a route is the proxy's where it says nothing, and 0 is no limit", async () => {
  await using upstream = new MoodyUpstream();
  upstream.mood = "hold";
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: {
      timeout: { read: "200ms" },
      routes: [
        { path: "/own", upstream: "app", timeout: { read: "150ms" } },
        { path: "/inherited", upstream: "app", timeout: { write: "5s" } },
        { path: "/endless", upstream: "app", timeout: { read: 0 } },
      ],
    },
  });
  const [own, inherited, endless] = ["/own", "/inherited", "/endless"].map((path) => exchange(proxy.port, get(path)));
  assertEquals((await Promise.all([own, inherited])).map(statusOf), [504, 504]);
  upstream.mood = 200;
  upstream.release();
  assertEquals(statusOf(await endless), 200);
});

Deno.test("an upstream whose head drips gets no more time than one that is silent", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    for (const char of `HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(500)}\r\n\r\n`) {
      if (!await peer.send(char)) return;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { timeout: { read: "500ms" } } });
  assertEquals(statusOf(await exchange(proxy.port, get("/"))), 504);
});

Deno.test("an interim response is a sign of life: the final head has all of its time after it", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await peer.send("HTTP/1.1 102 Processing\r\n\r\n");
    }
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { timeout: { read: "900ms" } } });
  const got = await exchange(proxy.port, get("/"));
  assertEquals(statusOf(got), 200);
  assertStringIncludes(new TextDecoder().decode(got.body), "ok");
});
