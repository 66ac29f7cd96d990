// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { serverFamilies } from "../../lib/generation/metrics/families.ts";
import { takeMetricsSnapshot } from "../../lib/generation/metrics/metrics_snapshot.ts";
import { Exposition } from "../../lib/metrics/exposition.ts";
import { until } from "../support/condition.ts";
import { freePort } from "../support/port.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { configOf, RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
import { MeteredProxy } from "./metered_proxy.ts";

/** An address of loopback where nobody listens. */
function deadUrl(): string {
  return `http://127.0.0.1:${freePort()}`;
}

function put(body: string): string {
  return `PUT / HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

Deno.test("bytes of a response are counted while it is on its way", async () => {
  const more = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    await more.promise;
    await peer.send("more");
    await peer.closed();
  });
  await using proxy = await MeteredProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  await client.send(get("/"));
  await until("half is counted", () => proxy.route().responseBytes === 4);
  assertEquals([proxy.route().inFlight, proxy.ended], [1, 0]);
  more.resolve();
  await client.answer();
  await proxy.endedAll(1);
  assertEquals([proxy.route().responseBytes, proxy.ended], [8, 1]);
});

Deno.test("bytes of a request are counted once, however often it is sent", async () => {
  await using failing = ScriptedUpstream.answering("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  await using proxy = await MeteredProxy.start({
    upstreams: [failing.url],
    proxy: { retries: { attempts: 3, backoff: "1ms", retry_on: [503], min_per_second: 10 } },
  });
  await exchange(proxy.port, put("12345678"));
  await proxy.endedAll(1);
  const [upstream] = proxy.upstreams();
  assertEquals(failing.requests.length, 3);
  assertEquals([upstream.attempts, upstream.retries, upstream.statuses["5xx"]], [3, 2, 3]);
  assertEquals(proxy.route().requestBytes, 8);
});

Deno.test("failures, retries and ejections are those of the upstream that they befell", async () => {
  await using living = ScriptedUpstream.answering(answerOf("ok"));
  const dead = deadUrl();
  await using proxy = await MeteredProxy.start({
    upstreams: [dead, living.url],
    proxy: { passive_health: { max_fails: 2, eject_for: "1m" } },
  });
  for (let i = 0; i < 8; i++) await exchange(proxy.port, get("/"));
  await proxy.endedAll(8);
  const [one, other] = proxy.upstreams();
  // Round robin: each second attempt is the dead one's, until it is ejected.
  assertEquals([one.attempts, one.failures.unreachable, one.ejections, one.retries], [2, 2, 1, 0]);
  assertEquals([other.attempts, other.failures.unreachable, other.ejections, other.retries], [8, 0, 0, 2]);
  assertEquals([...proxy.samples("bws_upstream_up").values()], [0, 1]);
  assertEquals([...proxy.samples("bws_upstream_ejections_total").values()], [1, 0]);
  const states = [...proxy.samples("bws_upstream_state")].flatMap(([labels, value]) =>
    value === 1 ? [/state="(\w+)"/.exec(labels)?.[1]] : []
  );
  assertEquals(states, ["ejected", "active"]);
});

Deno.test("streams of events are counted, and have no part in how long exchanges take", async () => {
  for (const [type, timed] of [["text/event-stream; charset=utf-8", 0], ["text/plain", 1]] as const) {
    const seen = Promise.withResolvers<void>();
    await using upstream = ScriptedUpstream.start(async (peer) => {
      await peer.request();
      const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
      await peer.send(`${head}5\r\ndata:\r\n`);
      await seen.promise;
      await peer.send("2\r\n\n\n\r\n0\r\n\r\n");
    });
    await using proxy = await MeteredProxy.start({ upstreams: [upstream.url] });
    const { body } = await fetch(`http://127.0.0.1:${proxy.port}/`);
    for await (const piece of body ?? []) if (piece.length > 0) seen.resolve();
    await proxy.endedAll(1);
    const count = [...proxy.samples("bws_http_request_duration_seconds_count").values()].reduce((a, b) => a + b, 0);
    assertEquals(count, timed, type);
  }
});

Deno.test("those who wait for room are counted until they have it", async () => {
  const gate = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      await gate.promise;
      if (!await peer.send(answerOf("late"))) return;
    }
  });
  await using proxy = await MeteredProxy.start({
    upstreams: [{ url: upstream.url, max_connections: 1 }],
    proxy: { connections: { queue_size: 5 } },
  });
  const answers = Promise.all([1, 2, 3].map(() => exchange(proxy.port, get("/"))));
  await until("two wait", () => proxy.counts.sites[0].pools[0].waiting === 2);
  assertEquals([...proxy.samples("bws_pool_waiting")], [[`site="${proxy.counts.sites[0].site}",pool="app"`, 2]]);
  gate.resolve();
  await answers;
  await until("nobody waits", () => proxy.counts.sites[0].pools[0].waiting === 0);
});

Deno.test("counts outlive a reload, and what is under way goes on in them", async () => {
  const gate = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      if (request.firstLine.includes("/late")) await gate.promise;
      if (!await peer.send(answerOf("ok"))) return;
    }
  });
  const input = (routes: { path: string; upstream: string }[]) => ({
    ...configOf({ upstreams: [upstream.url], proxy: { routes }, site: { name: "site", port: 0 } }),
    management: { enabled: true },
  });
  await using proxy = await MeteredProxy.of(input([{ path: "/", upstream: "app" }, { path: "/old", upstream: "app" }]));
  await exchange(proxy.port, get("/old"));
  using client = await RawClient.connect(proxy.port);
  await client.send(get("/late"));
  await until("it is under way", () => proxy.upstreams()[0].upstream.inFlight === 1);
  const { config } = resolveConfig(input([{ path: "/", upstream: "app" }, { path: "/new", upstream: "app" }]));
  await proxy.server.reload(config);
  assertEquals(proxy.counts.sites[0].routes.map(({ path }) => path), ["", "/", "/new"]);
  assertEquals(proxy.route().inFlight, 1);
  gate.resolve();
  await client.answer();
  await proxy.endedAll(1);
  await exchange(proxy.port, get("/"));
  await until("both are counted", () => proxy.route().statuses["2xx"] === 2);
  assertEquals(proxy.upstreams()[0].attempts, 3);
  // The connections of the generation before are closed, and counted out.
  await until("one connection is left", () => proxy.upstreams()[0].connections.open === upstream.open);
  assertEquals(upstream.open, 1);
});

Deno.test("routes that share a path share their metrics, upstreams that share a URL do not", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await MeteredProxy.start({
    upstreams: [upstream.url, upstream.url],
    proxy: {
      routes: [
        { path: "/", upstream: "app", methods: ["GET"] },
        { path: "/", upstream: "app", methods: ["PUT"] },
      ],
    },
  });
  await exchange(proxy.port, get("/"));
  await exchange(proxy.port, put("x"));
  await proxy.endedAll(2);
  assertEquals(proxy.counts.sites[0].routes.map(({ path, statuses }) => [path, statuses["2xx"]]), [["", 0], ["/", 2]]);
  const labels = [...proxy.samples("bws_upstream_attempts_total")].map(([text, value]) => [
    /upstream="([^"]*)"/.exec(text)?.[1],
    value,
  ]);
  assertEquals(labels, [[upstream.url, 1], [`${upstream.url}#2`, 1]]);
});

Deno.test("the families count configs that were accepted and refused", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await MeteredProxy.start({ upstreams: [upstream.url] });
  const config = { generation: 3, acceptedCount: 2, refusedCount: 1, loadedAtMs: 1_700_000_000_500 };
  const lines = new Exposition(proxy.familiesWith(config)).write("prometheus").split("\n").filter((line) =>
    line.startsWith("bws_config")
  );
  assertEquals(lines, [
    "bws_config_generation 3",
    "bws_config_last_reload_success_timestamp_seconds 1700000000.5",
    'bws_config_reloads_total{result="success"} 2',
    'bws_config_reloads_total{result="failure"} 1',
  ]);
});

Deno.test("no metrics are kept where nobody can ask for them", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  await exchange(proxy.port, get("/"));
  assertEquals(takeMetricsSnapshot(proxy.generation), undefined);
  assertEquals(serverFamilies({ generation: () => proxy.generation }), []);
});
