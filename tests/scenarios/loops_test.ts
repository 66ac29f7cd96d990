// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHandler } from "../../mod.ts";
import { until } from "../support/condition.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { header, statusOf } from "../support/message_reader.ts";
import { exchange, get } from "../support/raw_client.ts";
import { configOf, RunningProxy } from "../support/running_proxy.ts";
import { WorkersProxy } from "../support/running_workers.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

const HANDSHAKE = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** An upstream that sends each request to a port once more, as it came, and passes the answer's status on. */
function returning(target: { port: number }): ScriptedUpstream {
  return ScriptedUpstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      const status = statusOf(await exchange(target.port, request.head));
      await peer.send(`HTTP/1.1 ${status} Some\r\nContent-Length: 0\r\n\r\n`);
    }
  });
}

Deno.test("a request that comes back gets 508, in one line a second, and no upstream is to blame", async () => {
  const target = { port: 0 };
  await using upstream = returning(target);
  await using proxy = await LoggedProxy.start({
    upstreams: [upstream.url],
    proxy: { passive_health: { max_fails: 1 } },
  });
  target.port = proxy.port;
  const count = 20;
  for (let i = 0; i < count; i++) assertEquals(statusOf(await exchange(proxy.port, get("/x"))), 508);
  assertEquals(upstream.requests.length, count);
  const lines = () => proxy.lines.filter(({ path }) => path === "/x");
  await until("the lines are there", () => lines().filter(({ attempts }) => attempts === 1).length === count);
  const looped = lines().filter(({ attempts }) => attempts === undefined);
  assert(looped.length >= 1 && looped.length < count, String(looped.length));
  assertMatch(String(looped[0].cause), /has been here before/);
  assertEquals([looped[0].status, looped[0].cause_owner], [508, "proxy"]);
  assertEquals(proxy.lines.filter(({ message }) => String(message).includes("ejected")), []);
});

Deno.test("a WebSocket handshake that comes back gets 508", async () => {
  const target = { port: 0 };
  await using upstream = returning(target);
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { routes: [{ path: "/", upstream: "app", websocket: true }] },
  });
  target.port = proxy.port;
  assertEquals(statusOf(await exchange(proxy.port, get("/", HANDSHAKE))), 508);
  assertEquals(upstream.requests.length, 1);
});

Deno.test("a request that comes back to another worker of the process gets 508", async () => {
  const target = { port: 0 };
  await using upstream = returning(target);
  await using proxy = await WorkersProxy.start(2, { upstreams: [upstream.url] });
  target.port = proxy.port;
  // Each connection goes to one of the two by chance, on the way there and on the way back.
  const count = 20;
  for (let i = 0; i < count; i++) assertEquals(statusOf(await exchange(proxy.port, get("/x"))), 508);
  assertEquals(upstream.requests.length, count);
  const marks = new Set(upstream.requests.map((request) => header(request, "via")));
  assertEquals(marks.size, 1, [...marks].join());
  await until("both have served", () => proxy.server.workers.every((worker) => (worker?.ended ?? 0) > 0));
});

Deno.test("two servers of one name in a chain are no loop", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using back = await RunningProxy.start({ upstreams: [upstream.url], server: { name: "BWS Multi-Site Server" } });
  await using front = await RunningProxy.start({
    upstreams: [`http://127.0.0.1:${back.port}`],
    server: { name: "BWS Multi-Site Server" },
  });
  const answer = await exchange(front.port, get("/"));
  assertEquals(statusOf(answer), 200);
  assertMatch(
    header(upstream.requests[0], "via") ?? "",
    /^1\.1 BWS-Multi-Site-Server-[0-9a-f]{16}, 1\.1 BWS-Multi-Site-Server-[0-9a-f]{16}$/,
  );
  assertEquals(header(answer, "via"), "1.1 BWS-Multi-Site-Server, 1.1 BWS-Multi-Site-Server");
});

Deno.test("a request that comes back to a handler inside another program gets 508", async () => {
  const calls: string[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request, info) => {
    calls.push(request.headers.get("via") ?? "");
    return handler(request, info);
  });
  const handler = createHandler(configOf({ upstreams: [`http://127.0.0.1:${server.addr.port}`] }));
  try {
    const response = await fetch(`http://127.0.0.1:${server.addr.port}/x`);
    await response.body?.cancel();
    assertEquals([response.status, calls.length], [508, 2]);
  } finally {
    await handler.close();
  }
});
