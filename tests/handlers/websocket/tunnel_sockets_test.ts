// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertLess } from "@std/assert";
// @ts-types="../../../types/ws.d.ts"
import { WebSocket as WsClient, WebSocketServer } from "npm:ws@8.23.0";
import { stands, until, within } from "../../support/condition.ts";
import { frameBytes, FramePeer, SocketUpstream } from "../../support/frame_peer.ts";
import { TunnelProxy } from "../../support/tunnel_proxy.ts";

const MIB = 1024 * 1024;

async function sha(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

Deno.test("Tunnel passes permessage-deflate, contexts and all, between npm ws on both sides", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true, maxPayload: 64 * MIB });
  await new Promise<void>((resolve) => server.on("listening", resolve));
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  });
  try {
    await using proxy = new TunnelProxy({ url: `http://127.0.0.1:${server.address().port}` });
    const client = new WsClient(`ws://127.0.0.1:${proxy.port}/`, [], { perMessageDeflate: true, maxPayload: 64 * MIB });
    const got: Uint8Array[] = [];
    let closed = 0;
    client.on("message", (data) => got.push(data));
    client.on("close", (code) => closed = code);
    await new Promise<void>((resolve, reject) => {
      client.on("open", resolve);
      client.on("error", reject);
    });
    assertEquals(client.extensions, "permessage-deflate");
    const large = new Uint8Array(16 * MIB).map((_, i) => i % 251);
    const sent: (string | Uint8Array)[] = ["word ".repeat(1000), "word ".repeat(1000), "", "small", large, "end"];
    for (const message of sent) client.send(message);
    await until("all came back", () => got.length === sent.length, 20_000);
    const text = new TextDecoder();
    for (const [i, message] of sent.entries()) {
      if (typeof message === "string") assertEquals(text.decode(got[i]), message);
      else assertEquals(got[i].length === message.length && got[i].every((byte, at) => byte === message[at]), true);
    }
    client.close(4999, "done");
    await until("the client is closed", () => closed !== 0);
    await until("the tunnel has ended", () => proxy.ended.length === 1);
    assertEquals([closed, proxy.ended], [4999, [[4999, ""]]]);
  } finally {
    await new Promise<void>((resolve) => server.close(resolve));
  }
});

Deno.test("Tunnel passes pings and pongs end to end", async () => {
  await using upstream = SocketUpstream.start(async (peer) => {
    const ping = await peer.frame();
    assertEquals([ping?.opcode, new TextDecoder().decode(ping?.payload)], [9, "are you there?"]);
    await peer.send(10, "are you there?");
    await peer.send(9, "and you?");
    assertEquals(new TextDecoder().decode((await peer.frame())?.payload), "and you?");
    await peer.sendClose(1000);
    await peer.said();
  });
  await using proxy = new TunnelProxy(upstream);
  using client = await FramePeer.connect(proxy.port);
  await client.send(9, "are you there?");
  const pong = await client.frame();
  assertEquals([pong?.opcode, new TextDecoder().decode(pong?.payload)], [10, "are you there?"]);
  const ping = await client.frame();
  assertEquals([ping?.opcode, new TextDecoder().decode(ping?.payload)], [9, "and you?"]);
  await client.send(10, "and you?");
  assertEquals(await client.said(), "close:1000");
  await client.sendClose(1000);
  assertEquals(await client.said(), "end");
});

Deno.test("Tunnel passes 64 MB of masked frames of all sizes unchanged, in both directions at once", async () => {
  const frames: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (let i = 0; size < 32 * MIB; i++) {
    const length = i % 7 === 0 ? i * 37 % 200_000 : i * 31 % 3000;
    const payload = new Uint8Array(length).map((_, at) => at * 7 + i);
    frames.push(frameBytes(2, payload, { masked: true, fin: i % 3 > 0 }));
    size += length;
  }
  const up = new Uint8Array(await new Blob(frames).arrayBuffer());
  const down = new Uint8Array(
    await new Blob(frames.map((_, i) => frameBytes(2, new Uint8Array(i * 13 % 9000), {}))).arrayBuffer(),
  );
  const heard = Promise.withResolvers<string>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const conn = await listener.accept();
    const bytes = await readAfterHead(conn, up.length, down);
    heard.resolve(await sha(bytes));
    conn.close();
  })();
  await using proxy = new TunnelProxy({ url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}` });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  const reading = readAfterHead(client, down.length);
  await writeAll(client, up);
  const got = await within(30_000, "all has passed", Promise.all([reading.then(sha), heard.promise]));
  assertEquals(got, [await sha(down), await sha(up)]);
  await serving;
  listener.close();
});

/** Reads so many bytes behind a head, which is answered with a head and `down`. */
async function readAfterHead(
  conn: Deno.Conn,
  count: number,
  down?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(count + 4096);
  let length = 0;
  let head = -1;
  let writing: Promise<void> | undefined;
  while (head < 0 || length < head + count) {
    const read = await conn.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
    if (head >= 0) continue;
    const at = new TextDecoder("latin1").decode(bytes.subarray(0, Math.min(length, 1000))).indexOf("\r\n\r\n");
    if (at < 0) continue;
    head = at + 4;
    if (down !== undefined) {
      await conn.write(new TextEncoder().encode("HTTP/1.1 101 x\r\n\r\n"));
      writing = writeAll(conn, down);
    }
  }
  await writing;
  return bytes.slice(head, length);
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at, at + MIB));
}

Deno.test("Tunnel slows an upstream down whose client reads nothing, and loses nothing", async () => {
  const COUNT = 600;
  const part = new Uint8Array(256 * 1024);
  let sent = 0;
  await using upstream = SocketUpstream.start(async (peer) => {
    for (; sent < COUNT; sent++) {
      part[0] = sent & 255;
      if (!await peer.send(2, part)) return;
    }
    await peer.sendClose(1000);
    await peer.said();
  });
  await using proxy = new TunnelProxy(upstream);
  using client = await FramePeer.connect(proxy.port);
  await stands("what the upstream has sent", () => sent);
  // What lies between is the sockets' buffers and the bound, not the 150 MB that were to be sent.
  assertLess(sent, COUNT / 2);
  for (let i = 0; i < COUNT; i++) {
    const frame = await client.data();
    if (frame?.payload[0] !== (i & 255)) throw new Error(`Message ${i} is ${frame?.payload[0]}`);
  }
  assertEquals(await client.said(), "close:1000");
  await client.sendClose(1000);
});

Deno.test("Tunnel cuts a client that takes nothing, and tells its upstream 1001", async () => {
  const told = Promise.withResolvers<string>();
  await using upstream = SocketUpstream.flooding("text:still here", told.resolve);
  await using proxy = new TunnelProxy(upstream, { max_buffered: 64 * 1024, idle_timeout: 300 }, 300);
  using client = await FramePeer.connect(proxy.port);
  // Heard often, so that it is not its silence that ends it.
  const talk = setInterval(() => client.send(1, "still here"), 50);
  try {
    assertEquals(await within(15_000, "the upstream is told", told.promise), "close:1001");
    await until("the client is cut", () => proxy.ended.length === 1);
  } finally {
    clearInterval(talk);
  }
  assertEquals(proxy.ended[0][0], 1013);
});

Deno.test("Tunnel tells a client 1014 when its upstream breaks the connection, behind what it said", async () => {
  await using upstream = SocketUpstream.start(async (peer) => {
    await peer.send(1, "I must");
  });
  await using proxy = new TunnelProxy(upstream);
  using client = await FramePeer.connect(proxy.port);
  assertEquals([await client.said(), await client.said()], ["text:I must", "close:1014 Bad gateway"]);
  await client.sendClose(1014);
  assertEquals(await client.said(), "end");
});

Deno.test("Tunnel ends the client's connection when its upstream ends within a message", async () => {
  await using upstream = SocketUpstream.start(async (peer) => {
    await peer.send(1, "whole");
    await peer.sendRaw(frameBytes(1, "x".repeat(1000)).slice(0, 500));
  });
  await using proxy = new TunnelProxy(upstream);
  using client = await FramePeer.connect(proxy.port);
  assertEquals(await client.rest(), ["text:whole"]);
  client.close();
  await until("the tunnel has ended", () => proxy.ended.length === 1);
  assertEquals(proxy.ended, [[1014, "The upstream closed the connection without a Close frame"]]);
});

Deno.test("Tunnel drains: both sides are told 1001 and close", async () => {
  const told = Promise.withResolvers<string>();
  await using upstream = SocketUpstream.start(async (peer) => {
    told.resolve(await peer.said());
    await peer.sendClose(1001);
  });
  await using proxy = new TunnelProxy(upstream);
  using client = await FramePeer.connect(proxy.port);
  for (const tunnel of proxy.open) tunnel.goAway();
  assertEquals(await client.said(), "close:1001");
  await client.sendClose(1001);
  assertEquals([await told.promise, await client.said()], ["close:1001", "end"]);
  client.close();
  await until("the tunnel has ended", () => proxy.ended.length === 1);
});

Deno.test("Tunnel echoes 10,000 messages of 50 WebSockets at once, in order", async () => {
  await using upstream = SocketUpstream.echoing();
  await using proxy = new TunnelProxy(upstream);
  const COUNT = 200;
  await within(
    30_000,
    "all heard all they said",
    Promise.all(Array.from({ length: 50 }, async (_, socket) => {
      using client = await FramePeer.connect(proxy.port);
      const all = Array.from({ length: COUNT }, (_, i) => frameBytes(1, `${socket}:${i}`, { masked: true }));
      client.sendRaw(new Uint8Array(await new Blob(all).arrayBuffer()));
      for (let i = 0; i < COUNT; i++) assertEquals(await client.said(), `text:${socket}:${i}`);
      await client.sendClose(1000);
      assertEquals(await client.said(), "close:1000");
      assertEquals(await client.said(), "end");
    })).then(() => {}),
  );
  await until("all have ended", () => proxy.ended.length === 50);
  assertEquals(new Set(proxy.ended.map(([code]) => code)), new Set([1000]));
});
