// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { until } from "../../support/condition.ts";
import { Http2Client } from "../../support/http2_client.ts";
import { frame, GET } from "../../support/http2_frames.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "../own/own_listener.ts";

Deno.test("a listener that shuts down sends GOAWAY, lets streams end, and closes", async () => {
  const go = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await go.promise;
    await peer.send(answerOf("ok"));
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  await using client = await Http2Client.begun(own.port);
  await using idle = await Http2Client.begun(own.port);
  await client.fields(1, GET);
  await until("the upstream has the request", () => upstream.requests.length === 1);
  const down = own.listener.shutdown();
  for (const one of [client, idle]) {
    await one.frame("GOAWAY", ({ type }) => type === 7);
    // Under way before the client knew.
    if (one === client) await one.fields(3, GET);
    const ping = await one.frame("PING", ({ type }) => type === 6);
    await one.send(frame(6, 1, 0, ping.payload));
  }
  assertEquals(await idle.goneAway(), undefined);
  go.resolve();
  for (const id of [1, 3]) assertEquals(await client.status(id), 200);
  assertEquals(await client.goneAway(), undefined);
  const last = client.received.all.filter(({ type }) => type === 7).at(-1);
  assertEquals([...last?.payload.slice(0, 4) ?? []], [0, 0, 0, 3]);
  await down;
});

Deno.test("a client that does not reply to the ping of an orderly end holds nobody up", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  await using client = await Http2Client.begun(own.port);
  await client.fields(1, GET);
  assertEquals(await client.status(1), 200);
  await own.listener.shutdown();
  assertEquals(await client.goneAway(), undefined);
});

Deno.test("a client that says GOAWAY is closed once its streams have ended", async () => {
  const go = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await go.promise;
    await peer.send(answerOf("ok"));
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  await using client = await Http2Client.begun(own.port);
  await client.fields(1, GET);
  await client.send(frame(7, 0, 0, new Uint8Array(8)));
  await until("the upstream has the request", () => upstream.requests.length === 1);
  go.resolve();
  assertEquals(await client.status(1), 200);
  await client.goneAway();
});

Deno.test("abort() closes connections with streams at once", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  await using client = await Http2Client.begun(own.port);
  await client.fields(1, GET);
  await until("the upstream has the request", () => upstream.requests.length === 1);
  own.listener.abort();
  await until("the client is cut off", () => client.closed);
  await until("the upstream is left", () => upstream.open === 0);
});
