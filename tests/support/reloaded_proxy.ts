/**
 * BWS that is given other configs while it runs: in the test's own thread, or with workers.
 *
 * @module
 */

import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { Log } from "../../lib/log/log.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";
import { startWorkers } from "../../lib/process/worker_server.ts";
import type { Upstream } from "../../lib/upstream/upstream.ts";
import { until } from "./condition.ts";
import { FramePeer } from "./frame_peer.ts";

/** Ways to run it: in this thread, or with so many workers. */
export const THREADS: readonly (readonly [name: string, workers: number])[] = [["one thread", 0], ["two workers", 2]];

/** A proxy that is reloaded. */
export class ReloadedProxy {
  /** What runs. */
  readonly server: RunningServer;

  private constructor(server: RunningServer) {
    this.server = server;
  }

  /** Starts one; without workers in this thread. */
  static async start(workers: number, input: ConfigInput): Promise<ReloadedProxy> {
    const { config } = resolveConfig(input);
    const log = new Log(() => Promise.resolve(), config.logging);
    const server = workers === 0 ? await startServer(config, { log }) : await startWorkers(config, { workers, log });
    return new ReloadedProxy(server);
  }

  /** Port of its first listener, or of another. */
  port(index = 0): number {
    return this.server.addresses[index].port;
  }

  /** All upstreams of its generation. */
  get upstreams(): Upstream[] {
    return this.server.generation.sites.flatMap((site) =>
      [...site.pools.values()].flatMap((pool) => [...pool.upstreams])
    );
  }

  /** Attempts in flight at all of them. */
  get inFlight(): number {
    return this.upstreams.reduce((sum, upstream) => sum + upstream.inFlight, 0);
  }

  /** Puts another config in place. */
  reload(input: ConfigInput): Promise<void> {
    return this.server.reload(resolveConfig(input).config);
  }

  /** Stops it. Fails when something is in flight that nobody waits for any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    let failure: unknown;
    try {
      await until("nothing is in flight", () => this.inFlight === 0);
    } catch (error) {
      failure = error;
    }
    await this.server.stop();
    if (failure !== undefined) throw failure;
  }
}

/** Opens so many WebSockets. */
export function openSockets(port: number, target: string, count: number): Promise<FramePeer[]> {
  return Promise.all(Array.from({ length: count }, () => FramePeer.connect(port, target)));
}

/** What each says to `message`, by how many of them. */
export async function echoes(peers: readonly FramePeer[], message: string): Promise<Record<string, number>> {
  const said = await Promise.all(peers.map(async (peer) => {
    await peer.send(1, message);
    return await peer.said();
  }));
  return Object.fromEntries([...Map.groupBy(said, (text) => text)].map(([text, all]) => [text, all.length]));
}
