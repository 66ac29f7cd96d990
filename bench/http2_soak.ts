/**
 * Streams of HTTP/2 under cuts: clients over cleartext open streams through a proxy to upstreams of HTTP/1.1 and HTTP/2, and
 * finish, half-close, reset or abandon them at random, and drop whole connections. At the end, nothing may be in flight and
 * handles must be where they were; memory is printed. Run with `deno run -A bench/http2_soak.ts [SECONDS]`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints what it found

import { resolveConfig } from "../lib/generation/config/resolve_config.ts";
import { startServer } from "../lib/process/server.ts";
import { Http2Client } from "../tests/support/http2_client.ts";
import { frame, GET, number, POST } from "../tests/support/http2_frames.ts";

const CLIENTS = 20;
/** Streams of a connection before the next one. */
const MOST_STREAMS = 60;

if (import.meta.main) await main(Number(Deno.args[0] ?? 120));

async function main(seconds: number): Promise<void> {
  const origin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    // A client may leave within its upload.
    if (request.url.endsWith("/upload")) return new Response(String((await request.bytes().catch(() => "")).length));
    return new Response(request.url.endsWith("/large") ? new Uint8Array(300_000) : "hello, world");
  });
  const { port: originPort } = origin.addr as Deno.NetAddr;
  const site = { listen: "127.0.0.1", port: 0, internal_api: false };
  const proxyTo = (url: string) => ({
    upstreams: [{ name: "u", url }],
    routes: [{ path: "/", upstream: "u" }],
  });
  const inner = await startServer(
    resolveConfig({
      logging: { access: false },
      sites: [{ ...site, proxy: proxyTo(`http://127.0.0.1:${originPort}`) }],
    }).config,
  );
  const innerPort = inner.addresses[0].port;
  const outer = await startServer(
    resolveConfig({
      logging: { access: false },
      sites: [{ ...site, proxy: proxyTo(`h2c://127.0.0.1:${innerPort}`) }],
    }).config,
  );
  const ports = [innerPort, outer.addresses[0].port];
  const counts: Record<string, number> = {};
  const count = (what: string) => counts[what] = (counts[what] ?? 0) + 1;
  const endMs = performance.now() + 1000 * seconds;
  // What is made once is there before the first look.
  await Promise.all(Array.from({ length: CLIENTS }, () => connection(ports[1], count)));
  await settled([inner, outer]);
  const before = { handles: handles(), rss: Deno.memoryUsage().rss };
  await Promise.all(Array.from({ length: CLIENTS }, async (_, i) => {
    while (performance.now() < endMs) await connection(ports[i % 2], count);
  }));
  await settled([inner, outer]);
  // Idle connections to upstreams are closed after 4 s.
  const untilMs = performance.now() + 20_000;
  while (handles() > before.handles && performance.now() < untilMs) await pause(100);
  const after = { handles: handles(), rss: Deno.memoryUsage().rss };
  console.log(counts);
  console.log(`handles ${before.handles} → ${after.handles}; MB ${mega(before.rss)} → ${mega(after.rss)}`);
  const underWay = [inner, outer].map(({ generation }) => generation.underWay);
  console.log(`exchanges under way: ${underWay}`);
  await Promise.all([inner.stop(), outer.stop()]);
  await origin.shutdown();
  const passed = after.handles <= before.handles && underWay.every((one) => one === 0);
  console.log(passed ? "as at the start" : "NOT as at the start");
  Deno.exit(passed ? 0 : 1);
}

/** One connection with some streams, each cut in its own way. */
async function connection(port: number, count: (what: string) => void): Promise<void> {
  await using client = await Http2Client.begun(port);
  client.opensWindows = Math.random() < 0.8;
  count("connections");
  const streams = 1 + Math.floor(Math.random() * MOST_STREAMS);
  const waits: Promise<unknown>[] = [];
  for (let n = 0; n < streams && !client.closed; n++) {
    const id = 1 + 2 * n;
    const way = Math.floor(Math.random() * 7);
    const path = [":path", way === 2 || way === 3 ? "/large" : way >= 5 ? "/upload" : "/"];
    const head = [...(way >= 5 ? POST : GET).slice(0, 4), ...path, ":authority", "localhost"];
    count("streams");
    await client.fields(id, head, way < 5);
    if (way === 1 || way === 3) {
      if (way === 3) await pause(Math.random() * 5);
      await client.send(frame(3, 0, id, number(8)));
      count("resets");
      // Faster than the budget against floods of resets would end the connection.
      await pause(3);
    } else if (way >= 5) {
      for (let i = 0; i < 3; i++) await client.data(id, new Uint8Array(1000));
      if (way === 5) {
        await client.data(id, "", true);
        waits.push(client.status(id).then((status) => count(`status ${status}`)));
      } else count("half-open");
    } else if (client.opensWindows) waits.push(client.status(id).then((status) => count(`status ${status}`)));
  }
  // Some connections are dropped with all that is open on them.
  if (Math.random() < 0.5) await Promise.race([Promise.all(waits), pause(2000)]);
  else count("dropped");
  await client.endWriting();
  client[Symbol.asyncDispose]().catch(() => {});
  await Promise.allSettled(waits);
}

async function settled(servers: readonly { generation: { underWay: number } }[]): Promise<void> {
  const untilMs = performance.now() + 20_000;
  while (servers.some(({ generation }) => generation.underWay > 0) && performance.now() < untilMs) await pause(50);
}

/** Open files and sockets of this process. */
function handles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

function mega(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
