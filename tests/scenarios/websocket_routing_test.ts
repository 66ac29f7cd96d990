// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { createHandler, type CreateHandlerOptions } from "../../lib/process/create_handler.ts";
import { Certificates } from "../support/certificates.ts";
import { until, within } from "../support/condition.ts";
import { testEachListener } from "../support/each_listener.ts";
import { acceptance, FramePeer, SocketUpstream, upgradeRequest } from "../support/frame_peer.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { header, headerAll, type ReceivedMessage, statusOf, text } from "../support/message_reader.ts";
import { freePort } from "../support/port.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { configOf, RunningProxy, type RunningProxyOptions } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

const ROUTES = [{ path: "/", upstream: "app", websocket: true }];

type Options = RunningProxyOptions;

function start(
  upstreams: Options["upstreams"],
  proxy: Options["proxy"] = {},
  server: Options["server"] = {},
): Promise<RunningProxy> {
  return RunningProxy.start({ upstreams, proxy: { routes: ROUTES, ...proxy }, server });
}

/** An address where nobody listens. */
function nobody(): string {
  return `http://127.0.0.1:${freePort()}`;
}

async function bye(...peers: FramePeer[]): Promise<void> {
  for (const peer of peers) {
    await peer.sendClose(1000);
    await peer.rest();
  }
}

Deno.test("a malformed handshake gets 400, another version 426 with its own, and neither reaches an upstream", async () => {
  await using upstream = SocketUpstream.echoing();
  await using proxy = await start([upstream.url]);
  const good = upgradeRequest();
  const cases: [what: string, request: string, status: number][] = [
    ["no key", good.replace(/Sec-WebSocket-Key.*\r\n/, ""), 400],
    ["a short key", good.replace("dGhl", ""), 400],
    ["no version", good.replace(/Sec-WebSocket-Version.*\r\n/, ""), 400],
    ["no Connection", good.replace(/Connection.*\r\n/, ""), 400],
    ["POST", good.replace("GET", "POST"), 400],
    ["version 8", good.replace("Version: 13", "Version: 8"), 426],
  ];
  for (const [what, request, status] of cases) {
    const answer = await exchange(proxy.port, request);
    assertEquals(statusOf(answer), status, what);
    if (status === 426) assertEquals(header(answer, "sec-websocket-version"), "13");
  }
  assertEquals(upstream.heads.length, 0);
});

Deno.test("tokens of the handshake are found in any case and at any place", async () => {
  await using upstream = SocketUpstream.echoing();
  await using proxy = await start([upstream.url]);
  using client = new FramePeer(await Deno.connect({ hostname: "127.0.0.1", port: proxy.port }), true);
  await client.sendRaw(
    upgradeRequest().replace("Upgrade: websocket", "upgrade: foo/1, WebSocket")
      .replace("Connection: Upgrade", "CONNECTION: keep-alive , uPgRaDe"),
  );
  await client.readHead();
  assertStringIncludes(client.firstLine, "101");
  await client.send(1, "hi");
  assertEquals(await client.said(), "text:hi");
  await bye(client);
});

Deno.test("a websocket route still proxies plain HTTP, and a plain route forwards the request without its upgrade", async () => {
  await using upstream = ScriptedUpstream.answering((request) =>
    answerOf(header(request, "upgrade") ?? "no upgrade", "Content-Type: text/plain\r\n")
  );
  await using proxy = await start([upstream.url], {
    routes: [...ROUTES, { path: "/plain", upstream: "app" }],
  });
  assertEquals(text((await exchange(proxy.port, get("/x"))).body), "no upgrade");
  const answer = await exchange(proxy.port, upgradeRequest("/plain"));
  assertEquals([statusOf(answer), text(answer.body)], [200, "no upgrade"]);
});

testEachListener(
  "the upstream gets the client's fields by the rules of HTTP, a handshake, and the path",
  async (listener) => {
    await using upstream = SocketUpstream.start(
      async (peer) => {
        await peer.said();
        await peer.sendClose(1001);
      },
      (head) =>
        acceptance(head, "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nSec-WebSocket-Protocol: chat\r\nX-Secret: 1\r\n"),
    );
    await using proxy = await start([`${upstream.url}/base`], {
      routes: [{ path: "/ws/chat", upstream: "app", websocket: true, strip_prefix: true }],
      preserve_host: false,
      headers: { add: { "X-Powered-By": "BWS" }, remove: { "X-Secret": true }, request: { set: { "X-Set": "s" } } },
    }, { listener });
    using client = await FramePeer.connect(
      proxy.port,
      "/ws/chat/room%20a?x=1&y",
      "Cookie: c=1\r\nAuthorization: Basic eDp5\r\nOrigin: http://site.test\r\nX-Secret: 2\r\nX-Forwarded-For: 6.6.6.6\r\n" +
        "Sec-WebSocket-Protocol: old,chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
    );
    const [request] = upstream.heads;
    assertEquals(request.firstLine, "GET /base/room%20a?x=1&y HTTP/1.1");
    const fields = [
      "cookie",
      "authorization",
      "origin",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-powered-by",
      "x-set",
    ];
    assertEquals(fields.map((name) => headerAll(request, name)), [
      ...[["c=1"], ["Basic eDp5"], ["http://site.test"], ["127.0.0.1"], ["site.test"], ["BWS"], ["s"]],
    ]);
    assertEquals(headerAll(request, "x-secret"), []);
    assertEquals(header(request, "host"), upstream.url.slice(7));
    assertEquals(header(request, "sec-websocket-protocol"), "old,chat");
    // The client's own handshake where its bytes are passed on as they are, else one of the proxy's.
    const own = listener === "own";
    assertEquals(headerAll(request, "sec-websocket-extensions"), own ? ["permessage-deflate"] : []);
    assertEquals(headerAll(request, "sec-websocket-version"), ["13"]);
    const keys = headerAll(request, "sec-websocket-key");
    assertEquals([keys.length, keys[0] === "dGhlIHNhbXBsZSBub25jZQ=="], [1, own]);
    const answer = client.head;
    if (answer === undefined) throw new Error("expected a head");
    assertEquals(headerAll(answer, "set-cookie"), ["a=1", "b=2"]);
    assertEquals(headerAll(answer, "sec-websocket-accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
    assertEquals(headerAll(answer, "sec-websocket-protocol"), ["chat"]);
    assertEquals([headerAll(answer, "x-secret"), headerAll(answer, "x-powered-by")], [[], ["BWS"]]);
    client.close();
  },
);

const REFUSALS: readonly [answer: string, status: number, body: string][] = [
  [
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 8\r\n\r\nwho are?",
    401,
    "who are?",
  ],
  ["HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno,\r\n4\r\n no!\r\n0\r\n\r\n", 403, "no, no!"],
  ["HTTP/1.1 404 Not Found\r\n\r\nnobody here", 404, "nobody here"],
  ["HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", 302, ""],
  ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage", 200, "page"],
  ["HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 1\r\n\r\nx", 503, "x"],
  [`HTTP/1.1 403 Forbidden\r\nContent-Length: 100000\r\n\r\n${"y".repeat(100_000)}`, 403, "y".repeat(100_000)],
];

for (const [refusal, status, body] of REFUSALS) {
  Deno.test(`an upstream that responds with ${status} (${body.length} bytes) instead of accepting reaches the client`, async () => {
    await using upstream = SocketUpstream.refusing(refusal);
    await using proxy = await start([upstream.url]);
    const answer = await exchange(proxy.port, upgradeRequest());
    assertEquals([statusOf(answer), text(answer.body)], [status, body]);
    for (const name of ["www-authenticate", "location", "retry-after"]) {
      const sent = new RegExp(`^${name}: (.*)\r$`, "im").exec(refusal)?.[1];
      assertEquals(header(answer, name), sent);
    }
  });
}

const WRONG: readonly [what: string, lines: string, change?: (answer: string) => string][] = [
  ["a wrong Sec-WebSocket-Accept", "", (answer) => answer.replace(/Accept: ./, "Accept: _")],
  ["no Sec-WebSocket-Accept", "", (answer) => answer.replace(/Sec-WebSocket-Accept.*\r\n/, "")],
  ["no Upgrade", "", (answer) => answer.replace("Upgrade: websocket\r\n", "")],
  ["no Connection", "", (answer) => answer.replace("Connection: Upgrade\r\n", "")],
  ["an extension that was not offered", "Sec-WebSocket-Extensions: permessage-deflate\r\n"],
];

for (const [what, lines, change = (answer: string) => answer] of WRONG) {
  Deno.test(`an upstream that accepts with ${what} gives 502`, async () => {
    await using upstream = SocketUpstream.start(
      () => Promise.resolve(),
      async (head) => change(await acceptance(head, lines)),
    );
    await using proxy = await start([upstream.url]);
    const request = upgradeRequest("/", "Sec-WebSocket-Protocol: old, chat\r\n");
    assertEquals(statusOf(await exchange(proxy.port, request)), 502);
  });
}

for (const [offered, chosen] of [["", "other"], ["old, chat", "other"], ["old, chat", "chat, old"]]) {
  Deno.test(`the subprotocol "${chosen}" reaches a client that offers "${offered}", which decides, and the log has it`, async () => {
    await using upstream = SocketUpstream.start(
      (peer) => bye(peer),
      (head) => acceptance(head, `Sec-WebSocket-Protocol: ${chosen}\r\n`),
    );
    await using proxy = await LoggedProxy.start({ upstreams: [upstream.url], proxy: { routes: ROUTES } });
    using client = new FramePeer(await Deno.connect({ hostname: "127.0.0.1", port: proxy.port }), true);
    await client.sendRaw(upgradeRequest("/x", offered === "" ? "" : `Sec-WebSocket-Protocol: ${offered}\r\n`));
    const head = await client.readHead();
    assertEquals([head?.firstLine.split(" ")[1], headerAll(head as ReceivedMessage, "sec-websocket-protocol")], [
      "101",
      [chosen],
    ]);
    await bye(client);
    assertStringIncludes(String((await proxy.accessLine("/x")).cause), `chose the subprotocol "${chosen}"`);
  });
}

Deno.test("a handshake on a route without websocket = true goes on as a plain request, and the log says so once", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("plain"));
  await using proxy = await LoggedProxy.start({
    upstreams: [upstream.url],
    site: { name: "shop" },
    proxy: { routes: [{ path: "/", upstream: "app" }, { path: "/ws", upstream: "app" }] },
  });
  for (const target of ["/", "/ws", "/", "/ws/1"]) {
    assertEquals(text((await exchange(proxy.port, upgradeRequest(target))).body), "plain");
  }
  assertEquals(statusOf(await exchange(proxy.port, get("/", "Connection: Upgrade\r\nUpgrade: h2c\r\n"))), 200);
  await proxy.accessLine("/ws/1");
  const said = proxy.lines.filter(({ message }) => String(message).includes("websocket = true"));
  assertEquals(said.map(({ level, site, route }) => [level, site, route]), [
    ["warn", "shop", "/"],
    ["warn", "shop", "/ws"],
  ]);
});

Deno.test("an upstream that does not respond to the handshake gives 504, one that closes the connection 502", async () => {
  await using silent = ScriptedUpstream.start((peer) => peer.closed());
  await using slow = await start([silent.url], { timeout: { read: "150ms" } });
  assertEquals(statusOf(await exchange(slow.port, upgradeRequest())), 504);
  await using rude = SocketUpstream.refusing("");
  await using proxy = await start([rude.url]);
  assertEquals(statusOf(await exchange(proxy.port, upgradeRequest())), 502);
});

Deno.test("a client that leaves within the handshake frees its upstream at once", async () => {
  await using silent = ScriptedUpstream.start((peer) => peer.closed());
  await using proxy = await start([silent.url]);
  const client = await RawClient.connect(proxy.port);
  await client.send(upgradeRequest());
  await until("the upstream was dialled", () => silent.open === 1);
  client.close();
  await until("the upstream is free", () => silent.open === 0 && proxy.inFlight === 0);
});

Deno.test("a failed dial tries the next upstream, and the client gets 502 when all fail", async () => {
  await using upstream = SocketUpstream.echoing();
  await using proxy = await start([nobody(), nobody(), upstream.url]);
  for (let i = 0; i < 4; i++) {
    using client = await FramePeer.connect(proxy.port);
    await client.send(1, `${i}`);
    assertEquals(await client.said(), `text:${i}`);
    await bye(client);
  }
  assertEquals(upstream.heads.length, 4);
  await using nowhere = await start([nobody(), nobody()]);
  assertEquals(statusOf(await exchange(nowhere.port, upgradeRequest())), 502);
});

for (const method of ["round_robin", "weighted_round_robin", "least_connections", "power_of_two"]) {
  Deno.test(`${method} spreads sockets that stay open over all upstreams`, async () => {
    await using one = SocketUpstream.echoing();
    await using two = SocketUpstream.echoing();
    await using proxy = await start([one.url, two.url], { load_balancing: { method } });
    const clients: FramePeer[] = [];
    for (let i = 0; i < 10; i++) clients.push(await FramePeer.connect(proxy.port));
    assertEquals(proxy.upstreams.map((upstream) => upstream.inFlight), [5, 5]);
    assertEquals([one.open, two.open, proxy.generation.sockets.size], [5, 5, 10]);
    await bye(...clients);
    await proxy.idle();
    assertEquals(proxy.generation.sockets.size, 0);
  });
}

Deno.test("least_connections sends new sockets to where others have closed", async () => {
  const named = (name: string) =>
    SocketUpstream.start(async (peer) => {
      await peer.send(1, name);
      await peer.said();
      await peer.sendClose(1000);
    });
  await using one = named("one");
  await using two = named("two");
  await using proxy = await start([one.url, two.url], { load_balancing: { method: "least_connections" } });
  const open: Record<string, FramePeer[]> = { "text:one": [], "text:two": [] };
  for (let i = 0; i < 6; i++) {
    const client = await FramePeer.connect(proxy.port);
    open[await client.said()].push(client);
  }
  await bye(...open["text:two"]);
  await until("their places are free", () => proxy.upstreams[1].inFlight === 0);
  for (let i = 0; i < 3; i++) {
    const client = await FramePeer.connect(proxy.port);
    assertEquals(await client.said(), "text:two");
    open["text:one"].push(client);
  }
  await bye(...open["text:one"]);
});

Deno.test("max_connections bounds sockets: the next waits for a place, and gets 503 when none comes", async () => {
  await using upstream = SocketUpstream.echoing();
  await using proxy = await start([upstream.url], { connections: { max_connections: 1, queue_timeout: "1s" } });
  using first = await FramePeer.connect(proxy.port);
  assertEquals(statusOf(await exchange(proxy.port, upgradeRequest())), 503);
  const waiting = FramePeer.connect(proxy.port);
  await until("it waits", () => [...proxy.generation.sites[0].pools.values()][0].waitingCount === 1);
  await bye(first);
  using second = await waiting;
  assertStringIncludes(second.firstLine, "101");
  await bye(second);
});

Deno.test("https upstreams are spoken to as wss, unix sockets as they are", async () => {
  await using certificates = await Certificates.make("DNS:app.test,IP:127.0.0.1");
  const { cert, key, caFile } = certificates;
  await using secure = SocketUpstream.echoing(Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }));
  const socketPath = `${caFile}.sock`;
  await using local = SocketUpstream.echoing(Deno.listen({ transport: "unix", path: socketPath }));
  const upstreams = [
    { url: secure.url.replace("http", "https"), tls: { ca_file: caFile, server_name: "app.test" } },
    { url: `unix:${socketPath}` },
  ];
  for (const upstream of upstreams) {
    await using proxy = await start([upstream]);
    using client = await FramePeer.connect(proxy.port);
    await client.send(2, new Uint8Array(300_000).fill(7));
    assertEquals((await client.data())?.payload.every((byte) => byte === 7), true);
    await bye(client);
  }
  assertEquals([secure.heads.length, local.heads.length], [1, 1]);
});

/** Runs `body` against a handler of ours in a server of somebody else's. */
async function embedded(
  config: ConfigInput,
  options: CreateHandlerOptions,
  body: (port: number, close: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const handler = createHandler(config, options);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  try {
    await within(10_000, "the embedded test", body(server.addr.port, handler.close));
  } finally {
    await handler.close();
    await server.shutdown();
  }
}

Deno.test("createHandler() relays in another application's server, behind middleware, and closes with 1001", async () => {
  await using upstream = SocketUpstream.echoing();
  const config = configOf({ upstreams: [upstream.url], proxy: { routes: ROUTES, websocket: { drain: "50ms" } } });
  const seen: string[] = [];
  const middleware: CreateHandlerOptions["middleware"] = [async (request, next) => {
    const response = await next(request);
    seen.push(`${request.url.slice(-4)} ${response.status}`);
    return response;
  }];
  await embedded(config, { middleware }, async (port, close) => {
    using client = await FramePeer.connect(port, "/a?b");
    await client.send(2, new Uint8Array(100_000));
    assertEquals((await client.data())?.payload.length, 100_000);
    const closed = close();
    assertEquals(await client.said(), "close:1001");
    await client.sendClose(1001);
    await closed;
  });
  assertEquals(seen, ["/a?b 101"]);
});

Deno.test("createHandler() responds with 500 to a request that the runtime cannot upgrade, and releases its upstream", async () => {
  await using upstream = SocketUpstream.echoing();
  const config = configOf({ upstreams: [upstream.url], proxy: { routes: ROUTES } });
  const statuses: number[] = [];
  const middleware: CreateHandlerOptions["middleware"] = [async (request, next) => {
    const answering = next(request);
    // While the upstream is asked, somebody else takes the connection.
    const { response } = Deno.upgradeWebSocket(request);
    const answer = await answering;
    await answer.body?.cancel();
    statuses.push(answer.status);
    return response;
  }];
  await embedded(config, { middleware }, async (port) => {
    using client = await FramePeer.connect(port);
    assertStringIncludes(client.firstLine, "101");
    await until("the upstream is free", () => upstream.open === 0);
  });
  assertEquals([statuses, upstream.heads.length], [[500], 1]);
});
