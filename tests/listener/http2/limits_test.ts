/**
 * Clients of HTTP/2 that are slow, or take nothing, on purpose: each is ended in time, and counted.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { FLOOD_CAUSES, type FloodCause } from "../../../lib/http2/flood_budget.ts";
import { CLOSE_CAUSES, type CloseCause } from "../../../lib/listener/own/close_cause.ts";
import { LISTENER_METRICS } from "../../../lib/listener/own/listener_metrics.ts";
import { until } from "../../support/condition.ts";
import { Http2Client } from "../../support/http2_client.ts";
import { block, bytesOf, CLIENT_BEGIN, frame, GET, number, POST, settings } from "../../support/http2_frames.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "../own/own_listener.ts";

const { http2, floods, closed, streams } = LISTENER_METRICS.metrics;

function closedBy({ listener }: OwnListener, cause: CloseCause): number {
  return listener.metrics.value(closed, CLOSE_CAUSES.indexOf(cause));
}

function floodsOf({ listener }: OwnListener, cause: FloodCause): number {
  return listener.metrics.value(floods, FLOOD_CAUSES.indexOf(cause));
}

for (
  const [name, sent] of Object.entries({
    "nothing": new Uint8Array(0),
    "half a preface": CLIENT_BEGIN.slice(0, 12),
    "a preface without SETTINGS": CLIENT_BEGIN.slice(0, 24),
    "half a frame": bytesOf(CLIENT_BEGIN, frame(6, 0, 0, [1, 2, 3], 8)),
    "half a header block": bytesOf(CLIENT_BEGIN, frame(1, 1, 1, block(GET).slice(0, 10))),
    "a header block that trickles in": bytesOf(CLIENT_BEGIN, frame(1, 1, 1, block(GET).slice(0, 10))),
  })
) {
  Deno.test(`header_timeout ends a connection that sends ${name}`, async () => {
    await using own = new OwnListener({ upstreams: ["http://127.0.0.1:9"] }, { header_timeout: 200, idle_timeout: 0 });
    await using client = await Http2Client.connect(own.port);
    await client.send(sent);
    if (name.includes("trickles")) {
      while (await client.send(frame(9, 0, 1, [])) && !client.closed) await new Promise((r) => setTimeout(r, 30));
    }
    await client.goneAway();
    await until("it is counted", () => closedBy(own, "header_timeout") + floodsOf(own, "continuation") === 1);
  });
}

Deno.test("idle_timeout ends a connection without streams with GOAWAY and NO_ERROR, and no other", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] }, { idle_timeout: 300 });
  await using busy = await Http2Client.begun(own.port);
  await busy.fields(1, GET);
  await until("the upstream has the request", () => upstream.requests.length === 1);
  {
    await using client = await Http2Client.begun(own.port);
    await client.send(frame(1, 5, 1, block([...GET, "expect", "x"])));
    assertEquals(await client.status(1), 417);
    assertEquals(await client.goneAway(), undefined);
    assertEquals(client.received.all.at(-1)?.type, 7);
    await until("it is counted", () => closedBy(own, "idle_timeout") === 1);
  }
  assertEquals([busy.closed, own.listener.metrics.value(streams, 0)], [false, 1]);
});

Deno.test("a body that stops is 408, and its connection goes on", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] }, { body_timeout: 200 });
  await using client = await Http2Client.begun(own.port);
  await client.fields(1, [...POST, "content-length", "10"], false);
  await client.data(1, "abc");
  assertEquals(await client.status(1), 408);
  await client.fields(3, GET);
  assertEquals(await client.status(3), 200);
});

Deno.test("a body that trickles in below min_rate is 408", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] }, { body_timeout: 300, min_rate: 1000 });
  await using client = await Http2Client.begun(own.port);
  await client.fields(1, [...POST, "content-length", "100000"], false);
  while (!client.received.ended(1) && await client.data(1, "a")) await new Promise((r) => setTimeout(r, 20));
  assertEquals(await client.status(1), 408);
});

Deno.test("a body that trickles in is passed on by a route with streaming", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  const routes = [{ path: "/", upstream: "app", streaming: true }];
  const limits = { body_timeout: 2000, min_rate: 1_000_000_000 };
  await using own = new OwnListener({ upstreams: [upstream.url], proxy: { routes } }, limits);
  await using client = await Http2Client.begun(own.port);
  await client.fields(1, POST, false);
  const begunMs = performance.now();
  while (performance.now() - begunMs < limits.body_timeout + 500 && await client.data(1, "a")) {
    await new Promise((r) => setTimeout(r, 20));
  }
  await client.data(1, "a", true);
  assertEquals(await client.status(1), 200);
});

Deno.test("a stream whose window stays closed is reset after write_timeout, and others go on", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("x".repeat(100_000)));
  await using own = new OwnListener({ upstreams: [upstream.url] }, { write_timeout: 300, min_rate: 0 });
  await using client = await Http2Client.connect(own.port);
  client.opensWindows = false;
  await client.send(bytesOf(CLIENT_BEGIN, frame(4, 0, 0, settings([4, 10])), frame(8, 0, 0, number(2 ** 20))));
  await client.fields(1, GET);
  await client.frame("RST_STREAM", ({ type, streamId }) => type === 3 && streamId === 1);
  assertEquals([client.received.resetOf(1), client.received.dataOf(1).length], [8, 10]);
  await client.send(frame(4, 0, 0, settings([4, 200_000])));
  await client.fields(3, GET);
  assertEquals(await client.status(3), 200);
  await until("all has come", () => client.received.dataOf(3).length === 100_000);
});

Deno.test("a connection whose window stays closed, or of which many streams stall, ends with ENHANCE_YOUR_CALM", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("x".repeat(100_000)));
  await using own = new OwnListener({ upstreams: [upstream.url] }, { write_timeout: 300, min_rate: 0 });
  for (const window of [10, 200_000]) {
    await using client = await Http2Client.connect(own.port);
    client.opensWindows = false;
    await client.send(bytesOf(CLIENT_BEGIN, frame(4, 0, 0, settings([4, window]))));
    for (let id = 1; id < 40; id += 2) await client.fields(id, GET);
    assertEquals(await client.goneAway(), 11);
  }
  assertEquals(floodsOf(own, "stall"), 2);
  await until("both are closed", () => closedBy(own, "flood") === 2);
});

Deno.test("a client that takes nothing from its socket is cut off after write_timeout", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("x".repeat(60_000)));
  const limits = { write_timeout: 500, min_rate: 0, max_concurrent_streams: 1000 };
  await using own = new OwnListener({ upstreams: [upstream.url] }, limits);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: own.port });
  const begin = [CLIENT_BEGIN, frame(4, 0, 0, settings([4, 2 ** 30])), frame(8, 0, 0, number(2 ** 30))];
  await conn.write(bytesOf(...begin));
  // More than the system's buffers hold.
  for (let id = 1; id < 1000; id += 2) await conn.write(frame(1, 5, id, block(GET)));
  await until("it is cut off", () => closedBy(own, "write_timeout") === 1);
  conn.close();
});

Deno.test("floods are ended over sockets too, and counted by cause", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  await using own = new OwnListener({ upstreams: [upstream.url] });
  const made: [FloodCause, (id: number) => Uint8Array<ArrayBuffer>][] = [
    ["reset", (id) => bytesOf(frame(1, 5, id, block(GET)), frame(3, 0, id, number(8)))],
    ["ping", () => frame(6, 0, 0, new Uint8Array(8))],
    ["settings", () => frame(4, 0, 0)],
    ["refused", (id) => frame(1, 4, id, block(POST))],
  ];
  for (const [cause, bytes] of made) {
    await using client = await Http2Client.begun(own.port);
    for (let id = 1; id < 4000 && !client.closed; id += 2) if (!await client.send(bytes(id))) break;
    assertEquals(await client.goneAway(), 11, cause);
    await until("it is counted", () => floodsOf(own, cause) === 1);
  }
  assertEquals(own.listener.metrics.value(http2, 0), made.length);
  await until("no stream is open", () => own.listener.metrics.value(streams, 0) === 0);
});

Deno.test("max_requests ends a connection in an orderly way", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] }, { max_requests: 3 });
  await using client = await Http2Client.begun(own.port);
  for (const id of [1, 3, 5]) await client.fields(id, GET);
  for (const id of [1, 3, 5]) assertEquals(await client.status(id), 200);
  const ping = await client.frame("a ping", ({ type }) => type === 6);
  await client.send(frame(6, 1, 0, ping.payload));
  assertEquals(await client.goneAway(), undefined);
  await until("it is counted", () => closedBy(own, "served") === 1);
});

Deno.test("max_concurrent_streams is announced and held", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] }, { max_concurrent_streams: 2 });
  await using client = await Http2Client.begun(own.port);
  const announced = await client.frame("SETTINGS", ({ type, flags }) => type === 4 && flags === 0);
  assertEquals([...announced.payload.slice(0, 6)], [0, 3, 0, 0, 0, 2]);
  for (const id of [1, 3, 5]) await client.fields(id, GET);
  await client.frame("RST_STREAM", ({ type, streamId }) => type === 3 && streamId === 5);
  assertEquals(client.received.resetOf(5), 7);
  await until("two are under way", () => own.generation.underWay === 2);
});
