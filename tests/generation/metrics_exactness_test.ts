// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { until } from "../support/condition.ts";
import { SocketUpstream } from "../support/frame_peer.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
import { exchange, get, head, post, RawClient } from "../support/raw_client.ts";
import { MeteredProxy } from "./metered_proxy.ts";

const ROUNDS = 20;

/** What it does is in the path: an answer, half of one, or none until the proxy hangs up. */
function upstreamOfEveryKind(): ScriptedUpstream {
  return ScriptedUpstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      const [method, path] = request.firstLine.split(" ");
      if (path === "/left") return await peer.closed();
      if (path === "/app/cut") {
        await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
        return;
      }
      const status = path === "/app/missing" ? "404 Not Found" : path === "/app/fail" ? "500 Oh" : "200 OK";
      const body = method === "HEAD" ? "" : "hello";
      if (!await peer.send(`HTTP/1.1 ${status}\r\nContent-Length: 5\r\n\r\n${body}`)) return;
    }
  });
}

for (const workers of [1, 3]) {
  Deno.test(`metrics count every exchange once, with ${workers} worker(s)`, async () => {
    await using app = upstreamOfEveryKind();
    await using echo = SocketUpstream.echoing();
    await using proxy = await MeteredProxy.of({
      management: { enabled: true },
      server: { shutdown_timeout: "300ms" },
      sites: [{
        ...{ name: "site", listen: "127.0.0.1", port: 0, internal_api: false },
        proxy: {
          passive_health: { enabled: false },
          circuit_breaker: { enabled: false },
          upstreams: [{ name: "app", url: app.url }, { name: "echo", url: echo.url }],
          routes: [
            { path: "/app", upstream: "app" },
            { path: "/left", upstream: "app" },
            { path: "/ws", upstream: "echo", websocket: true },
          ],
        },
      }],
    }, workers);
    const { port } = proxy;
    for (let round = 0; round < ROUNDS; round++) {
      // Each on a connection of its own, so that all workers get some.
      await Promise.all([
        exchange(port, get("/app/ok")),
        exchange(port, head("/app/ok"), "HEAD"),
        exchange(port, post("/app/ok", "seven b")),
        exchange(port, get("/app/missing")),
        exchange(port, get("/app/fail")),
        exchange(port, get("/app/cut")).catch(() => {}),
        exchange(port, get("/nowhere")),
        exchange(port, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        leaves(port, () => app.requests.filter(({ firstLine }) => firstLine.includes("/left")).length > round),
        talks(port),
      ]);
    }
    await proxy.endedAll(10 * ROUNDS);
    const [unrouted, routed, left, sockets] = ["", "/app", "/left", "/ws"].map((path) => proxy.route(path));
    // Other, 1xx, 2xx, 3xx, 4xx, 5xx. One that is cut short had its status, one whose client left is 499.
    assertEquals(Object.values(routed.statuses), [0, 0, 4 * ROUNDS, 0, ROUNDS, ROUNDS]);
    assertEquals(Object.values(left.statuses), [0, 0, 0, 0, ROUNDS, 0]);
    assertEquals(Object.values(unrouted.statuses), [0, 0, 0, 0, ROUNDS, 0]);
    assertEquals(Object.values(sockets.statuses), [0, ROUNDS, 0, 0, 0, 0]);
    assertEquals(Object.values(proxy.counts.refused.statuses), [0, 0, 0, 0, ROUNDS, 0]);
    assertEquals(routed.requestBytes, 7 * ROUNDS);
    // Four answers of five bytes, and half of one.
    assertEquals(routed.responseBytes, (4 * 5 + 4) * ROUNDS);
    assertEquals(sockets.responseBytes, 0);
    assertEquals(countOf(routed.durations.counts), 6 * ROUNDS);
    assertEquals(countOf(sockets.durations.counts), 0);
    assertEquals([sockets.openSockets, sockets.inFlight], [0, 0]);
    assertEquals(sockets.socketMessages, { to_upstream: ROUNDS, to_client: ROUNDS });
    assertEquals(sockets.socketBytes, { to_upstream: 3 * ROUNDS, to_client: 3 * ROUNDS });
    const methods = [...proxy.samples("bws_http_requests_total")].filter(([labels]) => labels.includes('"/app"'));
    const labels = (method: string, status: string) =>
      `site="site",route="/app",method="${method}",status_class="${status}"`;
    assertEquals(Object.fromEntries(methods), {
      [labels("GET", "2xx")]: 2 * ROUNDS,
      [labels("GET", "4xx")]: ROUNDS,
      [labels("GET", "5xx")]: ROUNDS,
      [labels("HEAD", "2xx")]: ROUNDS,
      [labels("POST", "2xx")]: ROUNDS,
    });
    const [upstream] = proxy.upstreams("app");
    assertEquals(upstream.attempts, 7 * ROUNDS);
    assertEquals(Object.values(upstream.statuses), [0, 0, 4 * ROUNDS, 0, ROUNDS, ROUNDS]);
    assertEquals(upstream.failures, { unreachable: 0, broken: ROUNDS, timeout: 0, status: 0, slow: 0 });
    assertEquals(countOf(upstream.headSeconds.counts), 6 * ROUNDS);
    const dialled = countOf(upstream.dialSeconds.counts);
    assertEquals(upstream.dialled, dialled);
    assertEquals(upstream.reused + dialled, upstream.attempts);
    assertEquals(dialled, app.connections);
    await until("the peers agree on what is open", () => proxy.upstreams("app")[0].connections.open === app.open);
    assertEquals(proxy.upstreams("app")[0].connections.idle, app.open);
    const [asked] = proxy.upstreams("echo");
    assertEquals([asked.attempts, asked.statuses["1xx"], countOf(asked.dialSeconds.counts)], [ROUNDS, ROUNDS, ROUNDS]);
  });
}

Deno.test("upstreams whose addresses are looked up are counted in all workers", async () => {
  await using app = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await MeteredProxy.start({
    upstreams: [{ url: `http://localhost:${app.port}`, resolve: true, resolve_interval: "1m" }],
  }, 2);
  await Promise.all(Array.from({ length: 40 }, () => exchange(proxy.port, get("/"))));
  await proxy.endedAll(40);
  const answered = [...proxy.samples("bws_upstream_requests_total")].filter(([labels]) => labels.includes('"2xx"'));
  assertEquals(answered.reduce((sum, [, count]) => sum + count, 0), 40);
  assertEquals(answered.filter(([labels]) => labels.includes(`upstream="${app.url}"`)).map(([, count]) => count), [40]);
});

/** A client that hangs up once its request has arrived. */
async function leaves(port: number, arrived: () => boolean): Promise<void> {
  using client = await RawClient.connect(port);
  await client.send(get("/left"));
  await until("the request has arrived", arrived);
}

/** A client that says three bytes, hears them again, and closes. */
async function talks(port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  socket.onopen = () => socket.send("abc");
  socket.onmessage = () => socket.close(1000);
  await new Promise<void>((resolve) => socket.onclose = () => resolve());
}

function countOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

Deno.test("a worker that ends keeps what it counted and loses what it had in flight", async () => {
  let held = 0;
  await using app = ScriptedUpstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      if (request.firstLine.startsWith("GET /hold")) {
        held++;
        await peer.closed();
        held--;
        return;
      }
      if (!await peer.send(answerOf("ok"))) return;
    }
  });
  await using proxy = await MeteredProxy.start({ upstreams: [app.url] }, 3);
  await Promise.all(Array.from({ length: 30 }, () => exchange(proxy.port, get("/"))));
  await proxy.endedAll(30);
  const clients = await Promise.all(Array.from({ length: 12 }, () => RawClient.connect(proxy.port)));
  for (const client of clients) await client.send(get("/hold"));
  await until("all are held", () => held === 12 && proxy.route().inFlight === 12);
  for (const index of [0, 1, 2]) {
    proxy.workers[index]?.terminate();
    await until("only those of the others are left", () => proxy.route().inFlight === held);
    await until("it was replaced", () => proxy.workers[index] !== undefined);
  }
  assertEquals([held, proxy.route().inFlight, proxy.ended], [0, 0, 30]);
  assertEquals(proxy.upstreams()[0].connections, { open: 0, idle: 0 });
  for (const client of clients) client.close();
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask(proxy.port)));
  await proxy.endedAll(60);
  assertEquals(answers, Array.from({ length: 30 }, () => 200));
  assertEquals(proxy.ended, 60);
});

/** Asks until there is an answer: a port that is shared with a worker that has just ended may refuse. */
async function ask(port: number): Promise<number> {
  for (;;) {
    try {
      const { firstLine } = await exchange(port, get("/"));
      return Number(firstLine.split(" ")[1]);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
