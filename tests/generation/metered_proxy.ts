/**
 * BWS with metrics on a free port of loopback, with one worker in the test's own process or with several, and its metrics
 * at hand.
 *
 * @module
 */

import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { serverFamilies } from "../../lib/generation/metrics/families.ts";
import {
  type MetricsSnapshot,
  type RouteCounts,
  takeMetricsSnapshot,
  type UpstreamCounts,
} from "../../lib/generation/metrics/metrics_snapshot.ts";
import type { ConfigFacts } from "../../lib/generation/metrics/state_families.ts";
import { Exposition } from "../../lib/metrics/exposition.ts";
import type { Family } from "../../lib/metrics/family.ts";
import { sumOf } from "../../lib/admin/flow.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";
import { type RunningWorkers, startWorkers } from "../../lib/process/worker_server.ts";
import { until } from "../support/condition.ts";
import { checkDistinct } from "../metrics/distinct.ts";
import { configOf, type RunningProxyOptions } from "../support/running_proxy.ts";

/** A proxy whose metrics are kept. */
export class MeteredProxy {
  /** What runs. */
  readonly server: RunningServer;
  readonly #families: ReturnType<typeof serverFamilies>;

  private constructor(server: RunningServer) {
    this.server = server;
    this.#families = serverFamilies({ generation: () => server.generation });
  }

  /** Starts one whose only site sends everything to one pool. */
  static start(options: RunningProxyOptions, workers = 1): Promise<MeteredProxy> {
    return MeteredProxy.of({ ...configOf(options), management: { enabled: true } }, workers);
  }

  /** Starts one from a config. */
  static async of(input: ConfigInput, workers = 1): Promise<MeteredProxy> {
    const { config } = resolveConfig(input);
    return new MeteredProxy(await (workers === 1 ? startServer(config) : startWorkers(config, { workers })));
  }

  /** The port of its first listener. */
  get port(): number {
    return this.server.addresses[0].port;
  }

  /** The workers, where there are several. */
  get workers(): RunningWorkers["workers"] {
    return (this.server as RunningWorkers).workers;
  }

  /** All metrics. */
  get counts(): MetricsSnapshot {
    return takeMetricsSnapshot(this.server.generation) as MetricsSnapshot;
  }

  /** Those of the routes of one path of the first site; "" for what no route took. */
  route(path = "/"): RouteCounts {
    return this.counts.sites[0].routes.find((route) => route.path === path) as RouteCounts;
  }

  /** Those of the upstreams of a pool of the first site. */
  upstreams(pool = "app"): readonly UpstreamCounts[] {
    return this.counts.sites[0].pools.find((one) => one.pool === pool)?.upstreams ?? [];
  }

  /** What is scraped. Fails when a sample is there twice. */
  scrape(): string {
    checkDistinct(this.#families);
    return new Exposition(this.#families).write("prometheus");
  }

  /** All families there are, those about configs included. */
  familiesWith(config: ConfigFacts): Family[] {
    return serverFamilies({ generation: () => this.server.generation, config: () => config, ports: () => [] });
  }

  /** The samples of a family, by their labels as they are written. */
  samples(family: string): Map<string, number> {
    const found = new Map<string, number>();
    for (const line of this.scrape().split("\n")) {
      const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (match?.[1] === family) found.set(match[2] ?? "", Number(match[3]));
    }
    return found;
  }

  /** Exchanges of all routes that ended, those that were refused included. */
  get ended(): number {
    const routes = [this.counts.refused, ...this.counts.sites.flatMap((site) => site.routes)];
    return routes.reduce((sum, { statuses }) => sum + sumOf(statuses), 0);
  }

  /** Waits until so many have ended, and no more are under way. */
  async endedAll(count: number): Promise<void> {
    const underWay = () => this.counts.sites.flatMap((site) => site.routes).some(({ inFlight }) => inFlight !== 0);
    await until(`${count} exchanges have ended, of ${this.ended}`, () => this.ended >= count && !underWay());
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
  }
}
