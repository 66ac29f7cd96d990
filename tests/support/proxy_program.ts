/**
 * BWS as a process of its own, for tests that measure it from outside: the config comes as JSON in the first argument;
 * each line on standard input is answered with a line of {@linkcode ProxyStatus} on standard output.
 *
 * @module
 */

import { ignoreSignals } from "../../lib/cli/signals.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { startServer } from "../../lib/process/server.ts";
import { openConnections } from "./open_connections.ts";
import { openSockets } from "./open_sockets.ts";

/** What the process says of itself. */
export interface ProxyStatus {
  /** Its port. */
  port: number;
  /** Exchanges under way. */
  underWay: number;
  /** Attempts in flight at all upstreams. */
  inFlight: number;
  /** Open WebSockets. */
  webSockets: number;
  /** Connections to upstreams that are open, idle ones included. */
  upstreamConnections: number;
  /** Open sockets, listeners included; -1 where there is no /proc. */
  sockets: number;
  /** Memory in use by JavaScript after a collection, in bytes. */
  heapBytes: number;
  /** Resident memory, in bytes. */
  residentBytes: number;
  /** The most resident memory that there ever was, in bytes; -1 where there is no /proc. */
  peakBytes: number;
}

function peakBytes(): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB/m.exec(Deno.readTextFileSync("/proc/self/status"));
    return found === null ? -1 : Number(found[1]) * 1024;
  } catch {
    return -1;
  }
}

if (import.meta.main) {
  // As the program does. The runtime otherwise opens what it needs for signals 500 ms after the start: that changes the
  // number of open sockets, and ends the process when there is no file handle left by then.
  ignoreSignals();
  const { config } = resolveConfig({ ...JSON.parse(Deno.args[0]), management: { enabled: true } });
  const server = await startServer(config);
  const upstreams = server.generation.sites.flatMap((site) =>
    [...site.pools.values()].flatMap((pool) => [...pool.upstreams])
  );
  const { gc } = globalThis as { gc?: () => void };
  const encoder = new TextEncoder();
  const say = async () => {
    gc?.();
    const memory = Deno.memoryUsage();
    const status: ProxyStatus = {
      port: server.addresses[0].port,
      underWay: server.generation.underWay,
      inFlight: upstreams.reduce((sum, upstream) => sum + upstream.inFlight, 0),
      webSockets: server.generation.sockets.size,
      upstreamConnections: openConnections(server.generation),
      sockets: openSockets(),
      heapBytes: memory.heapUsed,
      residentBytes: memory.rss,
      peakBytes: peakBytes(),
    };
    await Deno.stdout.write(encoder.encode(JSON.stringify(status) + "\n"));
  };
  await say();
  const buffer = new Uint8Array(64);
  while (await Deno.stdin.read(buffer) !== null) await say();
  await server.stop();
  Deno.exit(0);
}
