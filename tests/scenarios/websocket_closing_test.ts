// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Log } from "../../lib/log/log.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";
import { LISTENER_KINDS, type ListenerKind } from "../../lib/listener/listener_kind.ts";
import { until, within } from "../support/condition.ts";
import { testEachListener } from "../support/each_listener.ts";
import { frameBytes, FramePeer, type FrameShape, type SocketScript, SocketUpstream } from "../support/frame_peer.ts";
import { configOf, RunningProxy, type RunningProxyOptions } from "../support/running_proxy.ts";

type WebSocketKeys = NonNullable<RunningProxyOptions["proxy"]>["websocket"];

type Kinds = readonly ListenerKind[];

/** The kinds under which messages are relayed, and judged by the proxy. */
const RELAYED: Kinds = ["runtime"];

function options(
  listener: ListenerKind,
  upstream: { url: string },
  websocket: WebSocketKeys = {},
): RunningProxyOptions {
  const routes = [{ path: "/", upstream: "app", websocket: true }];
  return { upstreams: [upstream.url], proxy: { routes, websocket }, server: { listener } };
}

/** Runs `client` against an upstream that does what `script` says. */
async function scene(
  listener: ListenerKind,
  script: SocketScript,
  client: (peer: FramePeer, proxy: RunningProxy) => Promise<void>,
): Promise<void> {
  await using upstream = SocketUpstream.start(script);
  await using proxy = await RunningProxy.start(options(listener, upstream));
  using peer = await FramePeer.connect(proxy.port);
  assertEquals(peer.firstLine, "HTTP/1.1 101 Switching Protocols");
  await within(10_000, "the client's part", client(peer, proxy));
}

const CODES = [
  undefined,
  1000,
  1001,
  1002,
  1003,
  1007,
  1008,
  1009,
  1010,
  1011,
  1012,
  1013,
  1014,
  3000,
  3999,
  4000,
  4999,
];

for (const code of CODES) {
  const expected = code === undefined ? "close:none" : `close:${code} Grüße`;
  const reason = code === undefined ? "" : "Grüße";

  // The runtime does not accept 1014 from a client.
  const kinds: Kinds = code === 1014 ? ["own"] : LISTENER_KINDS;
  testEachListener(`a client's Close frame with ${code ?? "no code"} reaches the upstream`, async (listener) => {
    const told = Promise.withResolvers<string>();
    await scene(listener, async (peer) => {
      told.resolve(await peer.said());
      await peer.sendClose(code, reason);
    }, async (client) => {
      await client.sendClose(code, reason);
      assertEquals(await told.promise, expected);
      assertEquals(await client.rest(), [expected]);
    });
  }, kinds);

  testEachListener(
    `an upstream's Close frame with ${code ?? "no code"} reaches the client, and its response the upstream`,
    async (listener) => {
      const answered = Promise.withResolvers<string>();
      await scene(listener, async (peer) => {
        await peer.sendClose(code, reason);
        answered.resolve(await peer.said());
      }, async (client) => {
        assertEquals(await client.said(), expected);
        await client.sendClose(4321, "mine");
        assertEquals(await answered.promise, "close:4321 mine");
        assertEquals(await client.said(), "end");
      });
    },
  );
}

testEachListener("what the upstream sends just before its Close frame reaches the client", async (listener) => {
  await scene(listener, async (peer) => {
    const frames = Array.from({ length: 500 }, (_, i) => frameBytes(1, `last words ${i}`));
    const close = frameBytes(8, new Uint8Array([0x0f, 0xa0]));
    await peer.sendRaw(new Uint8Array(await new Blob([...frames, close]).arrayBuffer()));
    await peer.said();
  }, async (client) => {
    const all = await Promise.all([client.rest(), client.sendClose(4000)]);
    assertEquals(all[0], [...Array.from({ length: 500 }, (_, i) => `text:last words ${i}`), "close:4000"]);
  });
});

testEachListener(
  "what a client sends while its upstream closes reaches the upstream, and the close code the client",
  async (listener) => {
    const heard = Promise.withResolvers<string[]>();
    await scene(listener, async (peer) => {
      const all = [await peer.said()];
      await peer.sendClose(4001, "enough");
      while (!all.at(-1)?.startsWith("close") && all.at(-1) !== "end") all.push(await peer.said());
      heard.resolve(all);
    }, async (client) => {
      // A client that has not read the Close frame yet, and so sends on.
      for (let i = 0; i < 300; i++) await client.send(1, `${i}:${"x".repeat(10_000)}`);
      assertEquals(await client.said(), "close:4001 enough");
      await client.sendClose(4001, "enough");
      const all = await heard.promise;
      assertEquals(all.pop(), "close:4001 enough");
      assertEquals(all.map((said) => Number(said.split(":")[1])), Array.from({ length: 300 }, (_, i) => i));
    });
  },
);

testEachListener("what a client sends just before it closes reaches the upstream", async (listener) => {
  const heard = Promise.withResolvers<string[]>();
  await scene(listener, async (peer) => {
    const all: string[] = [];
    while (!all.at(-1)?.startsWith("close")) all.push(await peer.said());
    heard.resolve(all);
    await peer.sendClose(1000);
  }, async (client) => {
    const frames = Array.from({ length: 500 }, (_, i) => frameBytes(1, `last ${i}`, { masked: true }));
    const close = frameBytes(8, new Uint8Array([0x03, 0xe8]), { masked: true });
    await client.sendRaw(new Uint8Array(await new Blob([...frames, close]).arrayBuffer()));
    assertEquals(await heard.promise, [...Array.from({ length: 500 }, (_, i) => `text:last ${i}`), "close:1000"]);
  });
});

testEachListener(
  "an upstream that ends without a Close frame is 1014 to its client, behind what it said",
  async (listener) => {
    await scene(listener, async (peer) => {
      await peer.send(1, "I must");
    }, async (client, proxy) => {
      assertEquals(await client.said(), "text:I must");
      assertEquals(await client.said(), "close:1014 Bad gateway");
      await client.sendClose(1014);
      await proxy.idle();
    });
  },
);

const VIOLATIONS: readonly [what: string, bytes: Uint8Array<ArrayBuffer>, told: string, kinds: Kinds][] = [
  ["masks its frames", frameBytes(1, "x", { masked: true }), "close:1002", LISTENER_KINDS],
  ["sets reserved bits", frameBytes(1, "x", { reserved: 0x40 }), "close:1002", RELAYED],
  ["sends text that is not UTF-8", frameBytes(1, new Uint8Array([0xff])), "close:1007", RELAYED],
  ["sends a control frame of 64 kB", frameBytes(9, new Uint8Array(65_536)), "close:1002", LISTENER_KINDS],
  ["closes with code 1005", frameBytes(8, new Uint8Array([0x03, 0xed])), "close:1002", RELAYED],
  [
    "sends a message beyond max_message",
    frameBytes(2, new Uint8Array(70 * 1024 * 1024)).slice(0, 20),
    "close:1009",
    LISTENER_KINDS,
  ],
];

for (const [what, bytes, told, kinds] of VIOLATIONS) {
  testEachListener(`an upstream that ${what} gets a Close frame, and its client 1014`, async (listener) => {
    const answered = Promise.withResolvers<string>();
    await scene(listener, async (peer) => {
      await peer.sendRaw(bytes);
      answered.resolve(await peer.said());
    }, async (client) => {
      assertEquals(await client.said(), "close:1014 Bad gateway");
      await client.sendClose(1014);
      assertEquals(await answered.promise, told);
    });
  }, kinds);
}

const JUDGED: readonly [what: string, opcode: number, payload: Uint8Array, shape: FrameShape][] = [
  ["reserved bits", 1, new Uint8Array([120]), { reserved: 0x70 }],
  ["a fragment that continues nothing", 0, new Uint8Array([120]), {}],
  ["text that is not UTF-8", 1, new Uint8Array([0xff]), {}],
  ["a Close frame with the code 1005", 8, new Uint8Array([0x03, 0xed]), {}],
  ["a Close frame with half a code", 8, new Uint8Array([0x03]), {}],
];

for (const [what, opcode, payload, shape] of JUDGED) {
  testEachListener(`${what} reaches the other side, which judges it`, async (listener) => {
    const bytes = frameBytes(opcode, payload, { ...shape, masked: false });
    const heard = Promise.withResolvers<Uint8Array>();
    await scene(listener, async (peer) => {
      heard.resolve(await peer.raw(bytes.length + 4));
      await peer.sendRaw(bytes);
    }, async (client) => {
      const sent = frameBytes(opcode, payload, { ...shape, masked: true });
      await client.sendRaw(sent);
      assertEquals(await heard.promise, sent);
      assertEquals(await client.raw(bytes.length), bytes);
    });
  }, ["own"]);
}

testEachListener("a client that leaves within a frame ends its upstream's connection within it", async (listener) => {
  const told = Promise.withResolvers<string[]>();
  await scene(listener, async (peer) => {
    told.resolve([await peer.said(), await peer.said()]);
  }, async (client, proxy) => {
    await client.send(1, "first");
    await client.sendRaw(frameBytes(1, "x".repeat(1000), { masked: true }).slice(0, 500));
    client.close();
    assertEquals(await told.promise, ["text:first", "end"]);
    await proxy.idle();
  });
}, ["own"]);

const ENDINGS: readonly [what: string, end: (client: FramePeer) => unknown, kinds: Kinds][] = [
  ["leaves without a Close frame", (client) => client.close(), LISTENER_KINDS],
  ["leaves within a message", async (client) => {
    await client.sendRaw(frameBytes(1, "x".repeat(1000), { masked: true }).slice(0, 500));
    client.close();
  }, RELAYED],
  ["sets reserved bits", (client) => client.send(1, "x", { reserved: 0x40 }), RELAYED],
  ["continues what it never began", (client) => client.send(0, "x"), RELAYED],
  ["sends text that is not UTF-8", (client) => client.send(1, new Uint8Array([0xff])), RELAYED],
  ["sends a ping of 126 bytes", (client) => client.send(9, new Uint8Array(126)), LISTENER_KINDS],
  ["closes with half a code", (client) => client.send(8, new Uint8Array(1)), RELAYED],
];

for (const [what, end, kinds] of ENDINGS) {
  testEachListener(`a client that ${what} is 1001 to its upstream, behind what it said`, async (listener) => {
    const told = Promise.withResolvers<string[]>();
    await scene(listener, async (peer) => {
      told.resolve([await peer.said(), await peer.said()]);
      await peer.sendClose(1001);
    }, async (client, proxy) => {
      await client.send(1, "first");
      await end(client);
      assertEquals(await told.promise, ["text:first", "close:1001"]);
      await proxy.idle();
    });
  }, kinds);
}

testEachListener("a client's message beyond max_message closes with 1009", async (listener) => {
  const told = Promise.withResolvers<string>();
  await using upstream = SocketUpstream.start(async (peer) => {
    told.resolve(await peer.said());
    await peer.sendClose(1001);
  });
  await using proxy = await RunningProxy.start(options(listener, upstream, { max_message: "1KiB" }));
  using client = await FramePeer.connect(proxy.port);
  await client.send(2, new Uint8Array(1025));
  assertEquals(await client.said(), "close:1009 Message too large");
  await client.sendClose(1009);
  assertEquals(await told.promise, "close:1001");
});

testEachListener(
  "a stop closes both sides with 1001 after drain, lets them talk until then, and opens no more",
  async (listener) => {
    const told = Promise.withResolvers<string>();
    await using upstream = SocketUpstream.start(async (peer) => {
      await peer.send(1, `answer to ${await peer.said()}`);
      told.resolve(await peer.said());
      await peer.sendClose(1001);
    });
    const server = await startServer(
      resolveConfig(configOf({
        ...options(listener, upstream, { drain: "1500ms" }),
        server: { listener, shutdown_timeout: "10s" },
      })).config,
    );
    const { port } = server.addresses[0];
    using client = await FramePeer.connect(port);
    const startMs = performance.now();
    const stopped = server.stop();
    // BWS's own listener has closed its port by now.
    if (listener === "own") await assertRejects(() => FramePeer.connect(port));
    else await assertLate(port);
    await client.send(1, "still there?");
    assertEquals(await client.said(), "text:answer to text:still there?");
    assertEquals(await client.said(), "close:1001");
    assertEquals(performance.now() - startMs >= 1490, true);
    await client.sendClose(1001);
    assertEquals(await told.promise, "close:1001");
    assertEquals(await within(5000, "the stop", stopped), 0);
  },
);

testEachListener("a stop cuts sockets that do not respond, within shutdown_timeout", async (listener) => {
  await using upstream = SocketUpstream.start((peer) => peer.rest().then(() => {}));
  const server = await startServer(
    resolveConfig(configOf({
      ...options(listener, upstream, { drain: 0 }),
      server: { listener, shutdown_timeout: "400ms" },
    })).config,
  );
  using client = await FramePeer.connect(server.addresses[0].port);
  assertEquals(await within(5000, "the stop", server.stop()), 1);
  assertEquals(server.generation.underWay, 0);
  assertEquals(await client.said(), "close:1001");
  client.close();
  await until("the upstream is free", () => upstream.open === 0);
});

testEachListener(
  "the access log has one line for a WebSocket, at its end, with bytes both ways and the close code",
  async (listener) => {
    const lines: string[] = [];
    const text = new TextDecoder();
    const log = new Log(async (bytes) => void lines.push(...text.decode(bytes).trim().split("\n")), { format: "json" });
    await using upstream = SocketUpstream.echoing();
    const server: RunningServer = await startServer(resolveConfig(configOf(options(listener, upstream))).config, {
      log,
    });
    using client = await FramePeer.connect(server.addresses[0].port, "/talk?x=1");
    await client.send(1, "€");
    await client.send(2, new Uint8Array(200));
    await client.said();
    await client.said();
    await log.flush();
    assertEquals(lines.filter(isAccess), []);
    await client.sendClose(4000);
    await client.rest();
    await until("the exchange has ended", () => server.generation.underWay === 0);
    await server.stop();
    await log.flush();
    const access = lines.filter(isAccess);
    assertEquals(access.length, 1);
    const { status, bytes, bytes_in, close_code, path, upstream: url, attempts } = JSON.parse(access[0]);
    assertEquals({ status, bytes, bytes_in, close_code, path, attempts }, {
      status: 101,
      bytes: 203,
      bytes_in: 203,
      close_code: 4000,
      path: "/talk?x=1",
      attempts: 1,
    });
    assertEquals(url, upstream.url);
  },
);

async function assertLate(port: number): Promise<void> {
  using late = await FramePeer.connect(port);
  assertStringIncludes(late.firstLine, "503");
}

function isAccess(line: string): boolean {
  return line.includes('"status":');
}
