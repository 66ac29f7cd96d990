/**
 * BWS in a process of its own, reloaded again and again with an upstream, a port and a probe that come and go. The first
 * argument is how many workers there are (0 for none), the second the `url` of an upstream, the others are counts of
 * reloads; after each of these it says what it holds, as a line of {@linkcode ReloadStatus}.
 *
 * @module
 */

import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { askOften } from "./closed_loop.ts";
import { ReloadedProxy } from "./reloaded_proxy.ts";
import { configOf } from "./running_proxy.ts";

/** What the process holds. */
export interface ReloadStatus {
  /** Memory in use by JavaScript of the main thread after a collection, in bytes. */
  heapBytes: number;
  /** Resident memory, in bytes. */
  residentBytes: number;
  /** Open files of any kind, sockets included; -1 where there is no /proc. */
  handles: number;
}

if (import.meta.main) {
  const [workers, url, ...counts] = Deno.args;
  const proxy = await ReloadedProxy.start(Number(workers), config(url, 0));
  for (const count of counts.map(Number)) {
    for (let turn = 0; turn < count; turn++) {
      await proxy.reload(config(url, turn));
      await askOften({ port: proxy.port(), clients: 2, requests: 4 });
    }
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(await status()) + "\n"));
  }
  await proxy.server.stop();
  Deno.exit(0);
}

function config(url: string, turn: number): ConfigInput {
  const odd = turn % 2 === 1;
  const input = configOf({
    upstreams: odd ? [url, { url, weight: 2 }] : [url],
    site: { static_dir: Deno.cwd() },
    proxy: {
      health_check: { path: "/probe", interval: odd ? "1h" : "2h" },
      circuit_breaker: {},
      routes: [{ path: "/", upstream: "app" }, { path: `/turn/${turn % 3}`, upstream: "app" }],
    },
  });
  return odd ? { ...input, sites: [...input.sites, { name: "second", port: 0, static_dir: Deno.cwd() }] } : input;
}

async function status(): Promise<ReloadStatus> {
  const { gc } = globalThis as { gc?: () => void };
  // What is being closed is held for a moment.
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    gc?.();
  }
  const { heapUsed, rss } = Deno.memoryUsage();
  return { heapBytes: heapUsed, residentBytes: rss, handles: handleCount() };
}

function handleCount(): number {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch {
    return -1;
  }
}
