/**
 * Limits of connections, and their end: which are closed, when, and by what cause they are counted.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { resolveConfig } from "../../../lib/generation/config/resolve_config.ts";
import { Generation } from "../../../lib/generation/generation.ts";
import type { HttpResponse } from "../../../lib/http/message.ts";
import type { CloseCause } from "../../../lib/listener/own/close_cause.ts";
import { CLOSE_CAUSES } from "../../../lib/listener/own/close_cause.ts";
import { LISTENER_METRICS } from "../../../lib/listener/own/listener_metrics.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { until } from "../../support/condition.ts";
import { get, post } from "../../support/raw_client.ts";
import { CollectingSink, type Respond, responseOf, ScriptedBody, ScriptedClients } from "./scripted_clients.ts";

const EMFILE = Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });

function closed({ listener }: ScriptedClients, cause: CloseCause): number {
  return listener.metrics.value(LISTENER_METRICS.metrics.closed, CLOSE_CAUSES.indexOf(cause));
}

/** Turns of the clock of deadlines. */
async function ticks(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 120));
}

Deno.test("a new connection above max_connections takes the place of the one that has been idle for longest", async () => {
  await using clients = new ScriptedClients(() => responseOf(""), { limits: { max_connections: 3 } });
  const [first, second, unused] = [clients.connect(), clients.connect(), clients.connect()];
  second.arrive(get("/"));
  await ticks();
  first.arrive(get("/"));
  const fourth = clients.connect();
  assertEquals([first.closed, second.closed, unused.closed, fourth.closed], [false, true, false, false]);
  const fifth = clients.connect();
  assertEquals([first.closed, fifth.closed], [true, false]);
  // The others have had no request yet, which is not for a newcomer to end.
  assertEquals(clients.connect().closed, true);
  assertEquals([closed(clients, "evicted"), closed(clients, "limit")], [2, 1]);
});

Deno.test("SocketListener keeps the timer of the clock that it is given while it has connections", async () => {
  const clock = new CoarseClock(5);
  await using clients = new ScriptedClients(() => responseOf(""), { clock });
  const body = { tick: () => {} };
  const timers: number[] = [];
  const { setInterval } = globalThis;
  globalThis.setInterval = ((...given: Parameters<typeof setInterval>) => {
    const timer = setInterval(...given);
    timers.push(timer as unknown as number);
    return timer;
  }) as typeof setInterval;
  try {
    const client = clients.connect();
    for (let i = 0; i < 3; i++) {
      clock.watch(body);
      clock.unwatch(body);
    }
    assertEquals(timers.length, 1);
    client.handler.failed(new Error("reset"));
    // With the next tick it has none: whoever watches then begins another.
    await until("the timer has ended", () => {
      clock.watch(body);
      clock.unwatch(body);
      return timers.length === 2;
    });
  } finally {
    globalThis.setInterval = setInterval;
  }
});

Deno.test("max_connections_per_address does not apply to trusted proxies", async () => {
  await using clients = new ScriptedClients(() => responseOf(""), {
    limits: { max_connections_per_address: 1 },
    trusts: (address) => address === "198.51.100.2",
  });
  assertEquals(clients.connect("198.51.100.1").closed, false);
  assertEquals(clients.connect("198.51.100.1").closed, true);
  for (let i = 0; i < 3; i++) assertEquals(clients.connect("198.51.100.2").closed, false);
  assertEquals(clients.connect("198.51.100.3").closed, false);
});

Deno.test("limits of a site hold for its port, in place of the server's", () => {
  const { config } = resolveConfig({
    server: { limits: { max_requests: 5, idle_timeout: "9s" } },
    sites: [
      { hostname: "a", port: 8080, static_dir: "." },
      { hostname: "b", port: 8080, static_dir: ".", limits: { max_requests: 7 } },
      { hostname: "c", port: 8081, static_dir: "." },
    ],
  });
  const generation = new Generation(config);
  const limits = generation.listeners.map((
    { clients },
  ) => [clients.limits?.max_requests, clients.limits?.idle_timeout]);
  generation.close();
  assertEquals(limits, [[7, 9000], [5, 9000]]);
});

Deno.test("the last request that max_requests allows closes its connection", async () => {
  await using clients = new ScriptedClients(() => responseOf(""), { limits: { max_requests: 2 } });
  const socket = clients.connect();
  socket.arrive(get("/"));
  assertEquals([/connection: close/.test(socket.written), socket.closed], [false, false]);
  socket.arrive(get("/"));
  assertEquals([/connection: close/.test(socket.written), socket.closed], [true, true]);
  assertEquals(closed(clients, "served"), 1);
});

/** A clock that a test moves. */
function clockAt(nowMs: number): CoarseClock {
  const clock = new CoarseClock(3_600_000);
  clock.nowMs = nowMs;
  return clock;
}

Deno.test("when file handles run out, the longest idle connections are closed, and accepting is tried again", async () => {
  const failures: string[] = [];
  await using clients = new ScriptedClients(() => responseOf(""), {
    clock: clockAt(1000),
    onAcceptFailed: ({ message }) => failures.push(message),
  });
  const busy = clients.connect();
  busy.arrive(get("/").slice(0, 10));
  clients.failToAccept(EMFILE);
  assertEquals([clients.retries, busy.closed, failures.length], [0, false, 1]);
  const idle = Array.from({ length: 20 }, () => clients.connect());
  for (const socket of idle) socket.arrive(get("/"));
  clients.failToAccept(EMFILE);
  assertEquals([clients.retries, busy.closed, idle.filter((socket) => socket.closed).length], [1, false, 8]);
  // What waits takes the place of an idle one: the port has not failed.
  assertEquals(failures.length, 1);
  clients.failToAccept(new Error("Connection aborted"));
  assertEquals([clients.retries, idle.filter((socket) => socket.closed).length, failures.length], [1, 8, 2]);
});

// Its first request is on the way, or has arrived and is not read: of clients that connect at once many got no response.
Deno.test("when file handles run out, a connection without a request is closed after a second, and not before", async () => {
  const clock = clockAt(1000);
  await using clients = new ScriptedClients(() => responseOf(""), { clock });
  const silent = Array.from({ length: 5 }, () => clients.connect());
  const used = clients.connect();
  used.arrive(get("/"));
  clock.nowMs += 999;
  const [slow, last] = [clients.connect(), clients.connect()];
  slow.arrive("GET / HTTP/1.1\r\n");
  clients.failToAccept(EMFILE);
  assertEquals([used.closed, silent.some((socket) => socket.closed), clients.retries], [true, false, 1]);
  clock.nowMs += 1;
  clients.failToAccept(EMFILE);
  assertEquals([silent.every((socket) => socket.closed), slow.closed, last.closed], [true, false, false]);
  // Nor is half a head kept for others to wait.
  clock.nowMs += 999;
  clients.failToAccept(EMFILE);
  assertEquals([slow.closed, last.closed, closed(clients, "evicted")], [true, true, 8]);
});

Deno.test("when no connection could be closed for another, the next one that ends makes room", async () => {
  let made = 0;
  await using clients = new ScriptedClients(() => responseOf(""), { makeRoom: () => made });
  const [first, second] = [clients.connect(), clients.connect()];
  clients.failToAccept(EMFILE);
  assertEquals(clients.retries, 0);
  first.fail();
  assertEquals(clients.retries, 1);
  second.fail();
  assertEquals(clients.retries, 1);
  // Idle connections of other ports.
  made = 1;
  clients.failToAccept(EMFILE);
  assertEquals(clients.retries, 2);
});

Deno.test("a connection is not idle before its client has taken the last response", async () => {
  const clock = new CoarseClock();
  const limits = { idle_timeout: 60 };
  await using clients = new ScriptedClients(() => responseOf("x".repeat(50_000)), { limits, clock });
  const [slow, quick, unused] = [clients.connect(), clients.connect(), clients.connect()];
  slow.block();
  for (const socket of [slow, quick]) socket.arrive(get("/"));
  await until("the other one is closed", () => quick.closed);
  clock.nowMs += 1000;
  assertEquals([closed(clients, "idle_timeout"), clients.listener.closeIdle(), slow.closed], [1, 1, false]);
  const last = clients.connect();
  const shutdown = clients.listener.shutdown();
  await until("unused connections are closed", () => last.closed);
  assertEquals([unused.closed, slow.closed], [true, false]);
  slow.unblock();
  assertEquals([slow.closed, slow.written.length > 50_000], [true, true]);
  await shutdown;
});

Deno.test("closeIdle() closes the longest idle first, and no connection with a request", async () => {
  const response = Promise.withResolvers<HttpResponse>();
  const clock = clockAt(1000);
  const respond: Respond = (head) => head.path === "/wait" ? response.promise : responseOf("");
  await using clients = new ScriptedClients(respond, { clock });
  const [first, second, busy] = [clients.connect(), clients.connect(), clients.connect()];
  clock.nowMs += 1000;
  first.arrive(get("/"));
  busy.arrive(get("/wait"));
  assertEquals([clients.listener.closeIdle(1), second.closed, first.closed], [1, true, false]);
  assertEquals([clients.listener.closeIdle(), first.closed, busy.closed], [1, true, false]);
});

Deno.test("shutdown() lets an upload under way finish, and closes its connection behind the response", async () => {
  await using clients = new ScriptedClients((_head, client) =>
    new Promise((resolve) => new CollectingSink(client.body!, { end: ({ bytes }) => resolve(responseOf(bytes)) }))
  );
  const [upload, partial, idle, unused] = Array.from({ length: 4 }, () => clients.connect());
  idle.arrive(post("/", "abc"));
  await until("the first request is responded to", () => idle.written !== "");
  upload.arrive(post("/", "hello").slice(0, -3));
  partial.arrive(post("/", "abc").slice(0, 10));
  let stopped = false;
  const shutdown = clients.listener.shutdown().then(() => stopped = true);
  // The first request of a new connection may be on the way, and the next one of a connection that was used lately.
  assertEquals([upload.closed, partial.closed, idle.closed, unused.closed], [false, false, false, false]);
  await until("the idle connection is closed", () => idle.closed);
  assertEquals([upload.closed, partial.closed], [false, false]);
  upload.arrive("llo");
  await until("the upload is responded to", () => upload.closed);
  assertMatch(upload.written, /\r\nconnection: close\r\n\r\nhello$/);
  assertEquals(stopped, false);
  partial.arrive(post("/", "abc").slice(10));
  await shutdown;
  assertEquals(unused.closed, true);
  assertMatch(partial.written, /\r\nconnection: close\r\n\r\nabc$/);
});

Deno.test("abort() closes everything at once", async () => {
  const body = new ScriptedBody();
  await using clients = new ScriptedClients(() => ({ status: 200, headers: [], body }));
  const [busy, idle] = [clients.connect(), clients.connect()];
  busy.arrive(get("/"));
  clients.listener.abort();
  assertEquals([busy.closed, idle.closed, clients.listener.connections], [true, true, 0]);
  assertEquals(body.cancelled !== undefined, true);
});

for (
  const [cause, limits, act] of [
    ["header_timeout", { header_timeout: 60 }, ""],
    ["header_timeout", { header_timeout: 60 }, "GET / HTT"],
    ["idle_timeout", { idle_timeout: 60 }, get("/")],
    ["body_timeout", { body_timeout: 60 }, post("/", "hello").slice(0, -2)],
    ["refused", {}, "nonsense\r\n\r\n"],
    ["client", {}, "fail"],
    ["served", {}, get("/", "Connection: close\r\n")],
  ] as const
) {
  Deno.test(`a connection is counted as closed by ${cause}, after ${JSON.stringify(act.slice(0, 14))}`, async () => {
    await using clients = new ScriptedClients((_head, client) => {
      if (client.body === null) return responseOf("");
      return new Promise((resolve) =>
        new CollectingSink(client.body!, { end: ({ whole }) => resolve(responseOf("", whole ? 200 : 408)) })
      );
    }, { limits });
    const socket = clients.connect();
    if (act === "fail") socket.fail();
    else socket.arrive(act);
    await until("the response is there, or the end", () => socket.sendsNothingMore || socket.closed);
    if (!socket.closed) socket.finish();
    await until("it is closed", () => clients.listener.connections === 0);
    assertEquals(closed(clients, cause), 1);
    if (act === "GET / HTT") assertMatch(socket.written, /^HTTP\/1\.1 408 /);
  });
}

Deno.test("a client that takes nothing of a response is reset after write_timeout, and so is one below min_rate", async () => {
  const bodies: ScriptedBody[] = [];
  await using clients = new ScriptedClients(() => {
    const body = new ScriptedBody();
    bodies.push(body);
    return { status: 200, headers: ["content-length", "1000000"], body };
  }, { limits: { write_timeout: 400, min_rate: 1000 } });
  const [stalled, trickling, slow] = [clients.connect(), clients.connect(), clients.connect()];
  for (const socket of [stalled, trickling, slow]) {
    socket.block();
    socket.arrive(get("/"));
  }
  for (const body of bodies) body.sink?.piece(new Uint8Array(200_000), "given");
  while (!stalled.closed || !trickling.closed) {
    trickling.unblock(1);
    trickling.block();
    slow.unblock(1000);
    slow.block();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals([stalled.wasReset, trickling.wasReset, slow.closed], [true, true, false]);
  assertEquals([bodies[0].cancelled !== undefined, closed(clients, "write_timeout")], [true, 2]);
});

Deno.test("shutdown() answers a request that was on the way on a connection that was used lately, and announces the close", async () => {
  await using clients = new ScriptedClients(() => responseOf("ok"));
  const [busy, idle] = [clients.connect(), clients.connect()];
  for (const socket of [busy, idle]) socket.arrive(get("/"));
  const ending = clients.listener.shutdown();
  assertEquals([busy.closed, idle.closed], [false, false]);
  busy.arrive(get("/"));
  assertEquals(busy.written.match(/\r\nconnection: close\r\n/g)?.length, 1);
  await ending;
  assertEquals([busy.closed, idle.closed], [true, true]);
  assertEquals(/connection: close/.test(idle.written), false);
});
