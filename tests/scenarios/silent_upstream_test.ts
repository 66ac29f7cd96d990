// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLess } from "@std/assert";
import { BlackHole } from "../support/black_hole.ts";
import { until } from "../support/condition.ts";
import { statusOf } from "../support/message_reader.ts";
import { MoodyUpstream } from "../support/moody_upstream.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";

Deno.test("an upstream that swallows connections costs a request a moment, not timeout.connect, and is ejected", async () => {
  using hole = await BlackHole.open();
  await using upstream = new MoodyUpstream();
  await using proxy = await RunningProxy.start({
    upstreams: [hole.url, upstream.url],
    proxy: { timeout: { connect: "8s" }, passive_health: { max_fails: 2 } },
  });
  for (let i = 0; i < 4; i++) {
    const startMs = performance.now();
    assertEquals(statusOf(await exchange(proxy.port, get(`/${i}`))), 200);
    assertLess(performance.now() - startMs, 7000);
  }
  // A POST too: nothing of it was sent.
  const post = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi";
  assertEquals(statusOf(await exchange(proxy.port, post)), 200);
  await until("the silent one is ejected", () => proxy.upstreams[0].state === "ejected", 20_000);
  assertEquals(proxy.upstreams[1].state, "active");
  await until("the last dial has ended", () => proxy.inFlight === 0);
});

Deno.test("clients that leave at once do not hide that an upstream swallows connections, and leave nothing behind", async () => {
  using hole = await BlackHole.open();
  await using upstream = new MoodyUpstream();
  await using proxy = await RunningProxy.start({
    upstreams: [hole.url, upstream.url],
    proxy: { timeout: { connect: "300ms" }, passive_health: { max_fails: 2 }, load_balancing: { method: "first" } },
  });
  for (let i = 0; i < 3; i++) {
    const client = await RawClient.connect(proxy.port);
    const served = upstream.requests;
    await client.send(get("/"));
    // A busy machine may look after timeout.connect, or after the silent one was ejected.
    await until("it is dialled", () => proxy.upstreams[0].inFlight === 1 || upstream.requests > served);
    client.close();
    await until("nothing is in flight", () => proxy.inFlight === 0);
  }
  await until("the silent one is ejected", () => proxy.upstreams[0].state === "ejected");
});

Deno.test("a client is not sent to another upstream because its own is slow to connect", async () => {
  using hole = await BlackHole.open();
  await using upstream = new MoodyUpstream();
  await using proxy = await RunningProxy.start({
    upstreams: [hole.url, upstream.url],
    proxy: { timeout: { connect: "1s" }, load_balancing: { method: "uri_hash" } },
  });
  // Half of the paths belong to the silent one, which ones depends on the ports: its first waits for all of timeout.connect.
  let longestMs = 0;
  for (let i = 0; i < 40 && longestMs < 900; i++) {
    const startMs = performance.now();
    assertEquals(statusOf(await exchange(proxy.port, get(`/${i}`))), 200);
    longestMs = performance.now() - startMs;
  }
  assertEquals(longestMs >= 900, true);
});
