// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLess } from "@std/assert";
// @ts-types="../../types/ws.d.ts"
import { WebSocket as WsClient, WebSocketServer } from "npm:ws@8.23.0";
import type { ListenerKind } from "../../lib/listener/listener_kind.ts";
import { stands, until, within } from "../support/condition.ts";
import { testEachListener } from "../support/each_listener.ts";
import { acceptance, frameBytes, FramePeer, SocketUpstream, upgradeRequest } from "../support/frame_peer.ts";
import { header } from "../support/message_reader.ts";
import { RunningProxy, type RunningProxyOptions } from "../support/running_proxy.ts";

const MIB = 1024 * 1024;

type WebSocketKeys = NonNullable<RunningProxyOptions["proxy"]>["websocket"];

function socketProxy(
  listener: ListenerKind,
  upstream: { url: string },
  websocket: WebSocketKeys = {},
): Promise<RunningProxy> {
  const routes = [{ path: "/", upstream: "app", websocket: true }];
  return RunningProxy.start({ upstreams: [upstream.url], proxy: { routes, websocket }, server: { listener } });
}

/** A server of npm `ws` that sends each message back. */
class WsEcho {
  readonly url: string;
  readonly closes: [code: number, reason: string][] = [];
  readonly extensions: string[] = [];
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.url = `http://127.0.0.1:${server.address().port}`;
    server.on("connection", (socket) => {
      this.extensions.push(socket.extensions);
      socket.on("message", (data, binary) => socket.send(data, { binary }));
      socket.on("close", (code, reason) => this.closes.push([code, new TextDecoder().decode(reason)]));
      socket.on("error", () => {});
    });
  }

  static async start(): Promise<WsEcho> {
    const server = new WebSocketServer({
      host: "127.0.0.1",
      port: 0,
      perMessageDeflate: true,
      maxPayload: 64 * MIB,
      handleProtocols: (offered) => offered.has("chat.v2") ? "chat.v2" : false,
    });
    await new Promise<void>((resolve) => server.on("listening", resolve));
    return new WsEcho(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(resolve));
  }
}

/** A client of npm `ws` that notes what it gets. */
class WsPeer {
  readonly got: { size: number; binary: boolean; data: Uint8Array }[] = [];
  closed: [code: number, reason: string] | undefined;
  readonly socket: WsClient;

  private constructor(socket: WsClient) {
    this.socket = socket;
    socket.on("message", (data, binary) => this.got.push({ size: data.length, binary, data }));
    socket.on("close", (code, reason) => this.closed = [code, new TextDecoder().decode(reason)]);
  }

  static async open(port: number, protocols: string[] = []): Promise<WsPeer> {
    const socket = new WsClient(`ws://127.0.0.1:${port}/`, protocols, {
      perMessageDeflate: true,
      maxPayload: 64 * MIB,
    });
    const peer = new WsPeer(socket);
    await new Promise<void>((resolve, reject) => {
      socket.on("open", resolve);
      socket.on("error", reject);
    });
    return peer;
  }

  async close(code?: number, reason?: string): Promise<void> {
    this.socket.close(code, reason);
    await until("the client is closed", () => this.closed !== undefined);
  }
}

testEachListener(
  "npm ws on both sides exchanges text, binary, empty and 16 MB messages, in order",
  async (listener) => {
    await using upstream = await WsEcho.start();
    await using proxy = await socketProxy(listener, upstream);
    const peer = await WsPeer.open(proxy.port, ["chat.v1", "chat.v2"]);
    assertEquals(peer.socket.protocol, "chat.v2");
    // Offered by both sides. Where messages are relayed, the proxy refuses it to both.
    const extensions = listener === "own" ? "permessage-deflate" : "";
    assertEquals([peer.socket.extensions, ...upstream.extensions], [extensions, extensions]);
    const large = new Uint8Array(16_000_000).map((_, i) => i % 251);
    const sent: (string | Uint8Array)[] = [
      "hello",
      "",
      new Uint8Array(0),
      "\ufeff€ 𝄞 \0",
      new Uint8Array([0, 255]),
      large,
      "end",
    ];
    for (const message of sent) peer.socket.send(message);
    await until("all came back", () => peer.got.length === sent.length, 20_000);
    const text = new TextDecoder("utf-8", { ignoreBOM: true });
    for (const [i, message] of sent.entries()) {
      const { binary, data } = peer.got[i];
      assertEquals(binary, typeof message !== "string");
      if (typeof message === "string") assertEquals(text.decode(data), message);
      else assertEquals(data.length === message.length && data.every((byte, at) => byte === message[at]), true);
    }
    await peer.close(3000, "done");
    assertEquals(peer.closed, [3000, "done"]);
    await proxy.idle();
    await until("the upstream has heard of it", () => upstream.closes.length > 0);
    assertEquals(upstream.closes, [[3000, "done"]]);
  },
);

testEachListener("npm ws sends 12 messages of 16 MB without a pause, and none is lost", async (listener) => {
  await using upstream = await WsEcho.start();
  await using proxy = await socketProxy(listener, upstream);
  const peer = await WsPeer.open(proxy.port);
  const large = new Uint8Array(16_000_000);
  for (let i = 0; i < 12; i++) {
    large[0] = i;
    // Where it is compressed, it is so later.
    peer.socket.send(large.slice());
  }
  await until("all came back", () => peer.got.length === 12, 30_000);
  assertEquals(
    peer.got.map(({ data, size }) => [data[0], size]),
    Array.from({ length: 12 }, (_, i) => [i, 16_000_000]),
  );
  await peer.close();
  assertEquals(peer.closed?.[0], 1005);
});

testEachListener("fragments arrive joined on both sides, whatever control frames come between", async (listener) => {
  await using upstream = SocketUpstream.start(async (peer) => {
    assertEquals(await peer.said(), "text:one two three");
    await peer.send(2, new Uint8Array([1]), { fin: false });
    await peer.send(9, "are you there?");
    await peer.send(0, "", { fin: false });
    await peer.send(0, new Uint8Array([2]));
    const pong = await peer.frame();
    assertEquals([pong?.opcode, new TextDecoder().decode(pong?.payload), pong?.masked], [10, "are you there?", true]);
    assertEquals(await peer.said(), "close:1000");
    await peer.sendClose(1000);
  });
  await using proxy = await socketProxy(listener, upstream);
  using client = await FramePeer.connect(proxy.port);
  await client.send(1, "one ", { fin: false });
  await client.send(9, "ping");
  await client.send(0, "two ", { fin: false });
  await client.send(0, "three");
  assertEquals((await client.frame())?.opcode, 10);
  assertEquals(await client.said(), "binary:1,2");
  await client.sendClose(1000);
  assertEquals(await client.said(), "close:1000");
}, ["runtime"]);

testEachListener(
  "what is said before the client is accepted reaches the other side, first and in order",
  async (listener) => {
    const heard: string[] = [];
    await using upstream = SocketUpstream.start(async (peer) => {
      while (heard.length < 4) heard.push(await peer.said());
      await peer.sendClose(1000);
    }, async (head) => {
      // In one write with the answer, so that it is read together with it.
      const frames = ["early", "earlier", "latest"].map((word) => String.fromCharCode(...frameBytes(1, word)));
      return await acceptance(head) + frames.join("");
    });
    await using proxy = await socketProxy(listener, upstream);
    using client = new FramePeer(await Deno.connect({ hostname: "127.0.0.1", port: proxy.port }), true);
    const words = ["impatient", "client", "speaks"];
    await client.sendRaw(upgradeRequest());
    for (const word of words) await client.send(1, word);
    await client.readHead();
    for (const word of ["early", "earlier", "latest"]) assertEquals(await client.said(), `text:${word}`);
    await client.sendClose(1001);
    await client.rest();
    assertEquals(heard, [...words.map((word) => `text:${word}`), "close:1001"]);
  },
);

testEachListener(
  "ten thousand messages each way keep their order, while fifty sockets talk at once",
  async (listener) => {
    await using upstream = SocketUpstream.echoing();
    await using proxy = await socketProxy(listener, upstream);
    const COUNT = 200;
    await within(
      20_000,
      "all sockets heard all they said",
      Promise.all(Array.from({ length: 50 }, async (_, socket) => {
        using client = await FramePeer.connect(proxy.port);
        const all = Array.from({ length: COUNT }, (_, i) => frameBytes(1, `${socket}:${i}`, { masked: true }));
        const bytes = new Uint8Array(await new Blob(all).arrayBuffer());
        client.sendRaw(bytes);
        for (let i = 0; i < COUNT; i++) assertEquals(await client.said(), `text:${socket}:${i}`);
        await client.sendClose(1000);
        assertEquals(await client.said(), "close:1000");
      })).then(() => {}),
    );
    await proxy.idle();
    assertEquals(proxy.generation.sockets.size, 0);
  },
);

testEachListener(
  "a client that reads slowly slows its upstream down, loses nothing, and costs little memory",
  async (listener) => {
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
    await using proxy = await socketProxy(listener, upstream, { max_buffered: "1MiB" });
    using client = await FramePeer.connect(proxy.port);
    await stands("what the upstream has sent", () => sent);
    // What lies between is the sockets' buffers and `max_buffered`, not the 150 MB that were to be sent.
    assertLess(sent, COUNT / 2);
    for (let i = 0; i < COUNT; i++) {
      const frame = await client.data();
      if (frame?.payload[0] !== (i & 255)) throw new Error(`Message ${i} is ${frame?.payload[0]}`);
    }
    assertEquals(await client.said(), "close:1000");
    await client.sendClose(1000);
  },
);

testEachListener("an upstream that reads slowly slows its client down, and loses nothing", async (listener) => {
  const COUNT = 600;
  const part = new Uint8Array(256 * 1024);
  const reading = Promise.withResolvers<void>();
  let heard = 0;
  await using upstream = SocketUpstream.start(async (peer) => {
    await reading.promise;
    for (let frame = await peer.data(); frame?.opcode === 2; frame = await peer.data()) {
      if (frame.payload[0] !== (heard++ & 255)) throw new Error(`Message ${heard} is ${frame.payload[0]}`);
    }
    await peer.sendClose(1000);
  });
  await using proxy = await socketProxy(listener, upstream, { max_buffered: "1MiB" });
  using client = await FramePeer.connect(proxy.port);
  let sent = 0;
  const sending = (async () => {
    for (; sent < COUNT; sent++) {
      part[0] = sent & 255;
      if (!await client.send(2, part)) return;
    }
    await client.sendClose(1000);
  })();
  await stands("what the client has sent", () => sent);
  assertLess(sent, COUNT / 2);
  reading.resolve();
  await sending;
  assertEquals(await client.said(), "close:1000");
  // A client's Close frame is answered by the proxy, which may be before the upstream has read all that came before it.
  await until("the upstream has read all", () => heard === COUNT);
  assertEquals([sent, heard], [COUNT, COUNT]);
});

testEachListener(
  "a client that reads nothing is given up after idle_timeout, and its upstream closed with 1001",
  async (listener) => {
    const told = Promise.withResolvers<string>();
    await using upstream = SocketUpstream.flooding("text:still here", told.resolve);
    const proxy = await socketProxy(listener, upstream, {
      max_buffered: "64KiB",
      ping_interval: 0,
      idle_timeout: "300ms",
    });
    using client = await FramePeer.connect(proxy.port);
    // Heard often, so that it is not its silence that ends it.
    const talk = setInterval(() => client.send(1, "still here"), 50);
    let said = "";
    try {
      said = await within(15_000, "the upstream is told", told.promise);
    } finally {
      clearInterval(talk);
    }
    assertEquals(said, "close:1001");
    client.close();
    await proxy[Symbol.asyncDispose]();
  },
);

testEachListener(
  "upstreams are pinged every ping_interval, and one that stays silent is given up with 1014",
  async (listener) => {
    const pings: number[] = [];
    await using upstream = SocketUpstream.start(async (peer) => {
      for (let frame = await peer.frame(); frame !== undefined && frame.opcode !== 8; frame = await peer.frame()) {
        if (frame.opcode !== 9) continue;
        pings.push(performance.now());
        if (pings.length <= 3) await peer.send(10, frame.payload);
      }
    });
    await using proxy = await socketProxy(listener, upstream, { ping_interval: "100ms", idle_timeout: "1s" });
    using client = await FramePeer.connect(proxy.port);
    const clientPings = { count: 0 };
    let frame = await client.frame();
    for (; frame?.opcode === 9; frame = await client.frame()) {
      clientPings.count++;
      await client.send(10, frame.payload);
    }
    assertEquals([frame?.opcode, frame && (frame.payload[0] << 8 | frame.payload[1])], [8, 1014]);
    await client.sendClose(1014);
    assertEquals(pings.length >= 4, true, `${pings.length} pings to the upstream`);
    assertEquals(clientPings.count >= 3, true, `${clientPings.count} pings to the client`);
  },
);

testEachListener("a client that sends no pong is given up, and its upstream closed with 1001", async (listener) => {
  const told = Promise.withResolvers<string>();
  await using upstream = SocketUpstream.start(async (peer) => {
    let frame = await peer.frame();
    for (; frame?.opcode === 9; frame = await peer.frame()) await peer.send(10, frame.payload);
    told.resolve(frame?.opcode === 8 ? `close:${frame.payload[0] << 8 | frame.payload[1]}` : "something else");
    await peer.sendClose(1001);
  });
  await using proxy = await socketProxy(listener, upstream, { ping_interval: "100ms", idle_timeout: "1s" });
  using client = await FramePeer.connect(proxy.port);
  assertEquals(await within(5000, "the upstream is told", told.promise), "close:1001");
  assertEquals(header(upstream.heads[0], "upgrade"), "websocket");
  assertEquals((await client.said()).startsWith("close:1001"), true);
});
