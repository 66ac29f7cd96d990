/**
 * BWS with several workers on a free port of loopback, its log at hand. What upstreams count in shared memory is seen
 * through the supervisor's generation.
 *
 * @module
 */

import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { Log } from "../../lib/log/log.ts";
import { type RunningWorkers, startWorkers, type WorkerServerOptions } from "../../lib/process/worker_server.ts";
import type { Upstream } from "../../lib/upstream/upstream.ts";
import { until } from "./condition.ts";
import type { LogLine } from "./logged_proxy.ts";
import { configOf, type RunningProxyOptions } from "./running_proxy.ts";

/** A proxy of several workers. */
export class WorkersProxy {
  /** What runs. */
  readonly server: RunningWorkers;
  /** What its supervisor and its workers have logged so far. */
  readonly lines: readonly LogLine[];

  private constructor(server: RunningWorkers, lines: readonly LogLine[]) {
    this.server = server;
    this.lines = lines;
  }

  /** Starts one whose only site sends everything to one pool. */
  static start(
    workers: number,
    options: RunningProxyOptions,
    how: Partial<WorkerServerOptions> = {},
  ): Promise<WorkersProxy> {
    // Lines of single requests would only be in the way.
    return WorkersProxy.of(workers, { ...configOf(options), logging: { access: false } }, how);
  }

  /** Starts one from a config. */
  static async of(
    workers: number,
    input: ConfigInput,
    how: Partial<WorkerServerOptions> = {},
  ): Promise<WorkersProxy> {
    const lines: LogLine[] = [];
    const take = (bytes: Uint8Array) => {
      for (const line of new TextDecoder().decode(bytes).split("\n")) if (line !== "") lines.push(JSON.parse(line));
    };
    const { config } = resolveConfig(input);
    const log = new Log((bytes) => Promise.resolve(take(bytes)), config.logging);
    return new WorkersProxy(await startWorkers(config, { workers, log, writeLog: take, ...how }), lines);
  }

  /** The port of its first listener. */
  get port(): number {
    return this.server.addresses[0].port;
  }

  /** All its upstreams, as the supervisor sees them. */
  get upstreams(): Upstream[] {
    return this.server.generation.sites.flatMap((site) =>
      [...site.pools.values()].flatMap((pool) => [...pool.upstreams])
    );
  }

  /** Attempts in flight at all upstreams, in all workers. */
  get inFlight(): number {
    return this.upstreams.reduce((sum, upstream) => sum + upstream.inFlight, 0);
  }

  /** Lines of the log that say `message`. */
  said(message: string): LogLine[] {
    return this.lines.filter((line) => line.message === message);
  }

  /** Waits until nothing is in flight in any worker. */
  idle(timeoutMs = 5000): Promise<void> {
    return until("nothing is in flight", () => this.inFlight === 0, timeoutMs);
  }

  /** Stops it. Fails when something is in flight that nobody waits for any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    let failure: unknown;
    try {
      await this.idle();
    } catch (error) {
      failure = error;
    }
    await this.server.stop();
    if (failure !== undefined) throw failure;
  }
}
