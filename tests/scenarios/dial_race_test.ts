/**
 * Dials of one exchange that end in the same turn of the event loop: all have a connection before one is the first.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { until } from "../support/condition.ts";
import { RunningProxy } from "../support/running_proxy.ts";

/** Holds connections to `ports` back until there are as many as ports. */
function heldBack(ports: readonly number[]): Disposable {
  const connect = Deno.connect;
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let made = 0;
  const held = async (options: Deno.ConnectOptions): Promise<Deno.TcpConn> => {
    const conn = await connect(options);
    if (!ports.includes(options.port)) return conn;
    if (++made === ports.length) resolve();
    await all;
    return conn;
  };
  Deno.connect = held as typeof Deno.connect;
  return {
    [Symbol.dispose]() {
      Deno.connect = connect;
    },
  };
}

function echo(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (request.headers.get("upgrade") === null) return new Response("here");
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
}

Deno.test("dials of a race that end in one turn leave nothing in flight, of requests and of WebSockets", async () => {
  await using first = echo();
  await using second = echo();
  const ports = [first.addr.port, second.addr.port];
  await using proxy = await RunningProxy.start({
    upstreams: ports.map((port) => `http://127.0.0.1:${port}`),
    proxy: { routes: [{ path: "/", upstream: "app", websocket: true }] },
  });
  {
    using _held = heldBack(ports);
    const response = await fetch(`http://127.0.0.1:${proxy.port}/`);
    assertEquals([response.status, await response.text()], [200, "here"]);
    await proxy.idle();
  }
  {
    using _held = heldBack(ports);
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
    const echoed = new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
    await new Promise((resolve) => socket.onopen = resolve);
    socket.send("back");
    assertEquals(await echoed, "back");
    await until("the socket alone is in flight", () => proxy.inFlight === 1);
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
    await proxy.idle();
  }
});
