/**
 * WebSocket handshakes are retried as any other GET, and what refuses them is a response as any other.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "@std/assert";
import { BlackHole } from "../support/black_hole.ts";
import { until, within } from "../support/condition.ts";
import { testEachListener } from "../support/each_listener.ts";
import { acceptance, FramePeer, SocketUpstream, upgradeRequest } from "../support/frame_peer.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { header, type ReceivedMessage, statusOf, text } from "../support/message_reader.ts";
import { freePort } from "../support/port.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { statusAnswer } from "../support/replying_upstream.ts";
import { RunningProxy, type RunningProxyOptions } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

const routes = [{ path: "/", upstream: "app", websocket: true }];
const passive_health = { enabled: false };
const retries = { retry_on: [502, 503, 504], backoff: 0, show_attempts: true };

type Proxy = RunningProxyOptions["proxy"];

function start(
  upstreams: RunningProxyOptions["upstreams"],
  proxy: Proxy = {},
  server: RunningProxyOptions["server"] = {},
): Promise<RunningProxy> {
  return RunningProxy.start({ upstreams, proxy: { routes, passive_health, retries, ...proxy }, server });
}

/** What a handshake gets: an answer, one made of its head, or the end of its connection. */
type Turn = string | ((head: ReceivedMessage) => string | Promise<string>) | "close";

/** Echoes once it has accepted. Its n-th handshake gets the n-th turn, those after the last get the last. */
function taking(...turns: Turn[]): SocketUpstream {
  let next = 0;
  const closing = new Set<number>();
  return SocketUpstream.start(async (peer, index) => {
    if (closing.has(index)) return;
    for (let frame = await peer.data(); frame !== undefined; frame = await peer.data()) {
      await peer.send(frame.opcode, frame.payload, { fin: frame.fin });
      if (frame.opcode === 8) return;
    }
  }, (head) => {
    const index = next++;
    const turn = turns[Math.min(index, turns.length - 1)];
    if (turn === "close") closing.add(index);
    return turn === "close" ? "" : typeof turn === "string" ? turn : turn(head);
  });
}

const accept = (head: ReceivedMessage) => acceptance(head);

async function echoes(client: FramePeer, attempts: string | undefined): Promise<void> {
  assertEquals(client.firstLine.split(" ")[1], "101");
  assertEquals(header(client.head as ReceivedMessage, "x-bws-attempts"), attempts);
  await client.send(1, "hi");
  assertEquals(await client.said(), "text:hi");
  await client.sendClose(1000);
  await client.rest();
}

testEachListener(
  "a handshake that is refused with a status of retry_on is made again, and the client gets the number of attempts",
  async (listener) => {
    await using upstream = taking(statusAnswer(503, "busy"), statusAnswer(502), accept);
    await using proxy = await start([upstream.url], {}, { listener });
    using client = await FramePeer.connect(proxy.port);
    await echoes(client, "3");
    const keys = upstream.heads.map((head) => header(head, "sec-websocket-key"));
    // Another key each time, where the handshake is the proxy's own.
    assertEquals([keys.length, new Set(keys).size], [3, listener === "own" ? 1 : 3]);
  },
);

Deno.test("a handshake that is refused with another status is not made again", async () => {
  await using upstream = taking(statusAnswer(500, "bad", "X-Why: so\r\n"), accept);
  await using proxy = await start([upstream.url]);
  const got = await exchange(proxy.port, upgradeRequest());
  assertEquals([statusOf(got), text(got.body), header(got, "x-why"), header(got, "x-bws-attempts")], [
    ...[500, "bad", "so", "1"],
  ]);
  assertEquals(upstream.heads.length, 1);
});

Deno.test("a handshake whose connection closes unanswered is made again, whatever retry_on is", async () => {
  await using upstream = taking("close", accept);
  await using proxy = await start([upstream.url], { retries: { backoff: 0 } });
  using client = await FramePeer.connect(proxy.port);
  await echoes(client, undefined);
});

Deno.test("an upstream that accepts wrongly is a 502, which retry_on has tried again, at another upstream first", async () => {
  const wrong = async (head: ReceivedMessage) => (await acceptance(head)).replace(/Accept: ./, "Accept: _");
  await using bad = taking(wrong);
  await using good = taking(accept);
  const first = { load_balancing: { method: "first" } };
  await using proxy = await start([bad.url, good.url], first);
  using client = await FramePeer.connect(proxy.port);
  await echoes(client, "2");
  await using plain = await start([bad.url, good.url], { ...first, retries: {} });
  assertEquals(statusOf(await exchange(plain.port, upgradeRequest())), 502);
  assertEquals([bad.heads.length, good.heads.length], [2, 1]);
});

Deno.test("silence is a 504, which retry_on has tried again", async () => {
  await using silent = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.closed();
  });
  await using good = taking(accept);
  const proxied = { load_balancing: { method: "first" }, timeout: { read: "150ms" } };
  await using proxy = await start([silent.url, good.url], proxied);
  using client = await FramePeer.connect(proxy.port);
  await echoes(client, "2");
});

Deno.test("attempts bounds how often a handshake is made; the last refusal is passed on as it is", async () => {
  await using upstream = taking(statusAnswer(503, "one"), statusAnswer(503, "two", "X: y\r\n"), accept);
  await using proxy = await start([upstream.url], { retries: { ...retries, attempts: 2 } });
  const got = await exchange(proxy.port, upgradeRequest());
  assertEquals([statusOf(got), text(got.body), header(got, "x"), header(got, "x-bws-attempts")], [
    ...[503, "two", "y", "2"],
  ]);
});

Deno.test("handshakes are made again within the budget of the pool, to which they add", async () => {
  await using none = taking(statusAnswer(503), accept);
  await using proxy = await start([none.url], { retries: { ...retries, budget: 0, min_per_second: 0 } });
  assertEquals(statusOf(await exchange(proxy.port, upgradeRequest())), 503);
  assertEquals(none.heads.length, 1);

  await using failing = taking(statusAnswer(503));
  const budget = 0.25;
  await using spending = await start([failing.url], {
    retries: { ...retries, attempts: 5, budget, min_per_second: 1 },
  });
  const startMs = performance.now();
  const requests = 100;
  for (let i = 0; i < requests; i++) assertEquals(statusOf(await exchange(spending.port, upgradeRequest())), 503);
  const seconds = (performance.now() - startMs) / 1000;
  const again = failing.heads.length - requests;
  // What is saved up at the start is ten seconds of the least.
  assertLessOrEqual(again, requests * budget + 10 + seconds + 1);
  assertGreaterOrEqual(again, requests * budget);
});

Deno.test("the same upstream is asked again after a pause, twice as long each time up to a bound", async () => {
  const arrivals: number[] = [];
  await using upstream = taking(() => {
    arrivals.push(performance.now());
    return statusAnswer(503);
  });
  await using proxy = await start([upstream.url], {
    retries: { retry_on: [503], attempts: 5, backoff: "20ms", max_backoff: "80ms" },
  });
  assertEquals(statusOf(await exchange(proxy.port, upgradeRequest())), 503);
  const gaps = arrivals.slice(1).map((ms, i) => ms - arrivals[i]);
  assertEquals(gaps.length, 4);
  // At least half of each pause; the other half is left to chance.
  for (const [i, leastMs] of [10, 20, 40, 40].entries()) assertGreaterOrEqual(gaps[i], leastMs - 1);
});

Deno.test("with try_for, a handshake waits for the only upstream while that cannot be reached, and no longer", async () => {
  const port = freePort();
  const quick = { backoff: "5ms", max_backoff: "20ms", show_attempts: true };
  await using proxy = await start([`http://127.0.0.1:${port}`], { retries: { ...quick, try_for: "20s" } });
  const kept = FramePeer.connect(proxy.port);
  await until("it is under way", () => proxy.generation.underWay === 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await using _upstream = SocketUpstream.echoing(Deno.listen({ hostname: "127.0.0.1", port }));
  using client = await within(15_000, "the handshake", kept);
  assertGreaterOrEqual(Number(header(client.head as ReceivedMessage, "x-bws-attempts")), 2);
  await client.sendClose(1000);
  await client.rest();

  await using vain = await start([`http://127.0.0.1:${freePort()}`], { retries: { ...quick, try_for: "200ms" } });
  const startMs = performance.now();
  assertEquals(statusOf(await exchange(vain.port, upgradeRequest())), 502);
  assertGreaterOrEqual(performance.now() - startMs, 200 - 2);
});

Deno.test("a client that leaves between two handshakes is not waited for", async () => {
  await using upstream = taking(statusAnswer(503));
  await using proxy = await start([upstream.url], {
    retries: { retry_on: [503], backoff: "60s", max_backoff: "60s" },
  });
  const client = await RawClient.connect(proxy.port);
  await client.send(upgradeRequest());
  await until("it was refused", () => upstream.heads.length === 1 && proxy.inFlight === 0);
  client.close();
  await proxy.idle();
  assertEquals(upstream.heads.length, 1);
});

Deno.test("the access line of a WebSocket names the attempts before it", async () => {
  await using upstream = taking(statusAnswer(503), "close", accept);
  await using proxy = await LoggedProxy.start({
    upstreams: [upstream.url],
    proxy: { routes, passive_health, retries },
  });
  using client = await FramePeer.connect(proxy.port, "/x");
  await echoes(client, "3");
  const line = await proxy.accessLine("/x");
  assertEquals([line.status, line.attempts], [101, 3]);
  assertEquals(line.failed_attempts, [
    `${upstream.url}: The upstream responded with 503`,
    `${upstream.url}: The upstream closed the connection before it responded`,
  ]);
});

for (const framing of ["content-length", "chunked", "the end of the connection"]) {
  Deno.test(`a refusal of 5 MiB, framed by ${framing}, arrives whole, and its beginning before its end is sent`, async () => {
    const size = 5 * 1024 * 1024;
    const body = new Uint8Array(size).map((_, i) => i % 251);
    const heard = Promise.withResolvers<void>();
    const chunked = framing === "chunked";
    const framed = (bytes: Uint8Array<ArrayBuffer>) =>
      chunked ? [`${bytes.length.toString(16)}\r\n`, bytes, "\r\n"] : [bytes];
    await using upstream = ScriptedUpstream.start(async (peer) => {
      if (await peer.head() === undefined) return;
      const line = chunked
        ? "Transfer-Encoding: chunked\r\n"
        : framing === "content-length"
        ? `Content-Length: ${size}\r\n`
        : "";
      await peer.send(`HTTP/1.1 403 Forbidden\r\n${line}X-Why: so\r\n\r\n`);
      for (const part of framed(body.subarray(0, 1000))) await peer.send(part);
      await heard.promise;
      for (const part of framed(body.subarray(1000))) await peer.send(part);
      if (chunked) await peer.send("0\r\n\r\n");
    });
    await using proxy = await start([upstream.url]);
    using client = await RawClient.connect(proxy.port);
    await client.send(upgradeRequest());
    const answer = await client.reader.head() as ReceivedMessage;
    assertEquals([statusOf(answer), header(answer, "x-why")], [403, "so"]);
    heard.resolve();
    await client.reader.body(answer, { closeEnds: true });
    assertEquals([answer.whole, answer.body.length], [true, size]);
    assertEquals(answer.body.every((byte, i) => byte === i % 251), true);
  });
}

Deno.test("a refusal that breaks off is not passed off as whole", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    if (await peer.head() !== undefined) {
      await peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 5000000\r\n\r\nsome");
    }
  });
  await using proxy = await start([upstream.url]);
  using client = await RawClient.connect(proxy.port);
  await client.send(upgradeRequest());
  const answer = await client.reader.answer();
  assertEquals([answer?.whole, text(answer?.body ?? new Uint8Array())], [false, "some"]);
});

Deno.test("a client that takes nothing of a long refusal holds its upstream up, and leaves nothing behind when it goes", async () => {
  const piece = new Uint8Array(1024 * 1024);
  const pieces = 128;
  let sent = 0;
  await using upstream = ScriptedUpstream.start(async (peer) => {
    if (await peer.head() === undefined) return;
    await peer.send(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${pieces * piece.length}\r\n\r\n`);
    while (sent < pieces && await peer.send(piece)) sent++;
  });
  await using proxy = await start([upstream.url]);
  const client = await RawClient.connect(proxy.port);
  await client.send(upgradeRequest());
  const answer = await client.reader.head() as ReceivedMessage;
  assertEquals(statusOf(answer), 403);
  // Where nothing held it up it would go on to the end.
  for (let seen = -1; seen !== sent;) {
    seen = sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  client.close();
  await proxy.idle();
  await until("the upstream's connection is closed", () => upstream.open === 0);
  assertLess(sent, pieces);
});

Deno.test("a handshake has a connection of its own, and no other request gets it after a refusal", async () => {
  await using upstream = ScriptedUpstream.answering((request) =>
    header(request, "upgrade") === undefined ? answerOf("page") : statusAnswer(403, "no")
  );
  await using proxy = await start([upstream.url]);
  assertEquals(text((await exchange(proxy.port, get("/"))).body), "page");
  assertEquals(upstream.connections, 1);
  assertEquals(text((await exchange(proxy.port, upgradeRequest())).body), "no");
  await until("its connection is closed", () => upstream.open === 1);
  assertEquals(text((await exchange(proxy.port, get("/"))).body), "page");
  assertEquals(upstream.connections, 2);
});

Deno.test("an upstream that swallows connections costs a handshake a moment, not timeout.connect, and is ejected", async () => {
  using hole = await BlackHole.open();
  await using upstream = taking(accept);
  await using proxy = await start([hole.url, upstream.url], {
    timeout: { connect: "8s" },
    passive_health: { max_fails: 1 },
    load_balancing: { method: "first" },
  });
  const startMs = performance.now();
  using client = await FramePeer.connect(proxy.port);
  assertLess(performance.now() - startMs, 7000);
  await echoes(client, "2");
  await until("the silent one is ejected", () => proxy.upstreams[0].state === "ejected", 20_000);
  assertEquals(proxy.upstreams[1].state, "active");
});

const UNWELL: readonly [what: string, turn: Turn, state: string][] = [
  ["a status of fail_status", statusAnswer(503), "ejected"],
  [
    "a 101 that does not answer the handshake",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    "ejected",
  ],
  ["a status outside fail_status", statusAnswer(403), "active"],
];

for (const [what, turn, state] of UNWELL) {
  Deno.test(`an upstream that refuses handshakes with ${what} is then ${state}`, async () => {
    await using bad = taking(turn);
    await using good = taking(accept);
    await using proxy = await start([bad.url, good.url], {
      passive_health: { max_fails: 3 },
      load_balancing: { method: "first" },
      retries: {},
    });
    for (let i = 0; i < 3; i++) await exchange(proxy.port, upgradeRequest());
    assertEquals([proxy.upstreams[0].state, bad.heads.length], [state, 3]);
    if (state === "active") return;
    using client = await FramePeer.connect(proxy.port);
    await echoes(client, undefined);
  });
}

Deno.test("an upstream that switches protocols unasked is ejected for it", async () => {
  const switching = await acceptance({ firstLine: "", headers: [], head: "", body: new Uint8Array(), whole: true });
  await using bad = ScriptedUpstream.answering(switching);
  await using good = ScriptedUpstream.answering(answerOf("good"));
  await using proxy = await start([bad.url, good.url], {
    passive_health: { max_fails: 3 },
    load_balancing: { method: "first" },
    retries: {},
  });
  for (let i = 0; i < 3; i++) assertEquals(statusOf(await exchange(proxy.port, get("/"))), 502);
  assertEquals(proxy.upstreams[0].state, "ejected");
  assertEquals(text((await exchange(proxy.port, get("/"))).body), "good");
});
