// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { ListenError } from "../../lib/process/listener.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";
import { within } from "../support/condition.ts";

function start(upstream: number, port = 0, timeout = "300ms"): Promise<RunningServer> {
  const { config } = resolveConfig({
    server: { shutdown_timeout: timeout },
    sites: [{
      listen: "127.0.0.1",
      port,
      proxy: {
        upstreams: [{ name: "u", url: `http://127.0.0.1:${upstream}` }],
        routes: [{ path: "/", upstream: "u" }],
      },
    }],
  });
  return startServer(config);
}

Deno.test("RunningServer.stop() lets exchanges under way end, and accepts no more", async () => {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
    asked.resolve();
    await gate.promise;
    return new Response("late but whole");
  });
  const server = await start(upstream.addr.port, 0, "20s");
  const { port } = server.addresses[0];
  const answer = fetch(`http://127.0.0.1:${port}/`);
  await asked.promise;
  const stopped = server.stop();
  gate.resolve();
  assertEquals(await (await answer).text(), "late but whole");
  assertEquals(await stopped, 0);
  await assertRejects(() => fetch(`http://127.0.0.1:${port}/`), TypeError);
  await upstream.shutdown();
});

Deno.test("RunningServer.stop() cuts what does not end in time, and says how much", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = silent.accept();
  const server = await start((silent.addr as Deno.NetAddr).port);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: server.addresses[0].port });
  await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const conn = await accepted;
  const buffer = new Uint8Array(1024);
  await conn.read(buffer);
  // `timeout.read` would end it too, and later than this.
  assertEquals(await within(2000, "the stop", server.stop()), 1);
  assertEquals(server.generation.underWay, 0);
  assertEquals(await conn.read(buffer), null);
  client.close();
  conn.close();
  silent.close();
});

Deno.test("startServer() opens all ports or none, and says which is in use", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const error = await assertRejects(() => start(1, port), ListenError);
  assertEquals(error.message.includes(`127.0.0.1:${port}: the port is in use`), true, error.message);
  taken.close();
});
