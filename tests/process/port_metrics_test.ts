// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { PortSnapshot } from "../../lib/admin/snapshot.ts";
import { NamedUpstream, RunningManagement } from "../admin/running_management.ts";
import { until } from "../support/condition.ts";
import { statusOf } from "../support/message_reader.ts";
import { RawClient } from "../support/raw_client.ts";

for (const workers of [1, 2]) {
  Deno.test(`Connections to a port are counted, those that are open and those closed by cause, ${workers} workers`, async () => {
    await using upstream = new NamedUpstream("app");
    await using running = await RunningManagement.start({
      ...{ upstreams: [upstream.url], workers, server: { listener: "own" } },
    });
    const [{ port }] = running.server.addresses;
    const connections = async () => ((await running.told("/api/status")).ports[0] as PortSnapshot).connections;
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(port)));
    for (const [index, client] of clients.entries()) {
      await client.send(`GET / HTTP/1.1\r\nhost: a\r\n${index < 2 ? "connection: close\r\n" : ""}\r\n`);
      assertEquals(statusOf(await client.answer()), 200);
    }
    clients[0].close();
    clients[1].close();
    using bad = await RawClient.connect(port);
    await bad.send("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n");
    assertEquals(statusOf(await bad.answer()), 400);
    bad.close();
    await until("three have closed", async () => (await connections())?.open === 2);
    clients[2].close();
    await until("another has closed", async () => (await connections())?.open === 1);
    const counts = await connections();
    assertEquals([counts?.accepted, counts?.acceptFailures], [5, 0]);
    const { served, refused, client, ...others } = counts?.closed ?? {};
    assertEquals([served, refused, client], [2, 1, 1]);
    assertEquals(Object.values(others).every((count) => count === 0), true);
    const metrics = await (await running.ask("/metrics")).text();
    const labels = `address="127.0.0.1",port="${port}"`;
    for (
      const line of [
        `bws_listener_connections_accepted_total{${labels}} 5\n`,
        `bws_listener_connections{${labels}} 1\n`,
        `bws_listener_connections_closed_total{${labels},cause="served"} 2\n`,
        `bws_listener_accept_failures_total{${labels}} 0\n`,
      ]
    ) assertStringIncludes(metrics, line);
    clients[3].close();
  });
}
