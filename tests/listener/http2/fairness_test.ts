// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { stands, until } from "../../support/condition.ts";
import { Http2Client } from "../../support/http2_client.ts";
import { bytesOf, CLIENT_BEGIN, frame, GET, number, POST, settings } from "../../support/http2_frames.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "../own/own_listener.ts";

Deno.test("a small response does not wait for a large one on the same connection", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    const request = await peer.request();
    if (request?.firstLine.includes("/large")) {
      await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${50_000_000}\r\n\r\n`);
      const piece = new Uint8Array(100_000);
      for (let i = 0; i < 500; i++) if (!await peer.send(piece)) return;
    } else await peer.send(answerOf("small"));
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  await using client = await Http2Client.begun(own.port);
  await client.send(frame(4, 0, 0, settings([4, 2 ** 24])));
  await client.fields(1, [...GET.slice(0, 4), ":path", "/large", ":authority", "a"]);
  await until("the large one has begun", () => client.received.dataOf(1).length > 1_000_000);
  client.received.all.length = 0;
  await client.fields(3, GET);
  assertEquals(await client.status(3), 200);
  assertEquals(client.text(3), "small");
  // What was on the way already comes first, and no more than that.
  assertEquals(client.received.ended(1), false);
  await client.send(frame(3, 0, 1, number(8)));
});

Deno.test("a client that opens no window holds its upstream back, and little in memory", async () => {
  let sent = 0;
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${1_000_000_000}\r\n\r\n`);
    const piece = new Uint8Array(100_000);
    while (await peer.send(piece)) sent += piece.length;
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  await using client = await Http2Client.connect(own.port);
  client.opensWindows = false;
  await client.send(bytesOf(CLIENT_BEGIN, frame(4, 0, 0, settings([4, 1000]))));
  await client.fields(1, GET);
  await stands("what the upstream sent", () => sent);
  // The system's buffers, and a piece.
  assertEquals(sent < 20_000_000, true, `${sent} bytes`);
  assertEquals(client.received.dataOf(1).length, 1000);
  await client.send(frame(3, 0, 1, number(8)));
});

Deno.test("an upload that its upstream does not take stops its client, and not the streams beside it", async () => {
  const over = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    const head = await peer.head();
    if (head?.firstLine.startsWith("POST")) return await over.promise;
    await peer.send(answerOf("ok"));
    await peer.closed();
  });
  await using own = new OwnListener({ upstreams: [upstream.url] });
  await using client = await Http2Client.begun(own.port);
  await client.fields(1, POST, false);
  // Of the connection, and of the stream.
  const windows = [65_535, 64 * 1024];
  let sent = 0;
  const opened = () => {
    for (const { type, streamId, payload } of client.received.all.splice(0)) {
      if (type === 8) windows[streamId] += new DataView(payload.buffer).getUint32(0);
    }
    return Math.min(...windows);
  };
  for (let idle = 0; idle < 20;) {
    if (opened() < 16_384) {
      idle++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    idle = 0;
    await client.data(1, new Uint8Array(16_384));
    windows[0] -= 16_384;
    windows[1] -= 16_384;
    sent += 16_384;
  }
  // The system's buffers, what is read ahead, and the window.
  assertEquals(sent < 30_000_000, true, `${sent} bytes`);
  await client.fields(3, GET);
  assertEquals(await client.status(3), 200);
  await client.send(frame(3, 0, 1, number(8)));
  over.resolve();
});
