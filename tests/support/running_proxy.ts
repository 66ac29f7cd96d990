/**
 * BWS on a free port of loopback with one site, in the test's own process.
 *
 * @module
 */

import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import type { Generation } from "../../lib/generation/generation.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";
import type { Upstream } from "../../lib/upstream/upstream.ts";
import { until } from "./condition.ts";

type SiteInput = ConfigInput["sites"][number];
type ProxyInput = NonNullable<SiteInput["proxy"]>;
type UpstreamInput = NonNullable<ProxyInput["upstreams"]>[number];

/** What differs from a site that sends everything to one pool. */
export interface RunningProxyOptions {
  /** The pool's servers: URLs, or tables without their name. */
  upstreams: readonly (string | Omit<UpstreamInput, "name">)[];
  /** Keys of `[sites.proxy]`. */
  proxy?: Partial<ProxyInput>;
  /** Keys of `[[sites]]`. */
  site?: Partial<SiteInput>;
  /** Keys of `[server]`. */
  server?: ConfigInput["server"];
  /** Whether metrics are kept. */
  metrics?: boolean;
}

/** A proxy that runs. */
export class RunningProxy {
  /** Its port. */
  readonly port: number;
  /** What runs. */
  readonly server: RunningServer;

  private constructor(server: RunningServer) {
    this.server = server;
    this.port = server.addresses[0].port;
  }

  /** Starts one. */
  static async start(options: RunningProxyOptions): Promise<RunningProxy> {
    const { config } = resolveConfig(configOf(options));
    return new RunningProxy(await startServer(config));
  }

  /** Its generation. */
  get generation(): Generation {
    return this.server.generation;
  }

  /** All its upstreams. */
  get upstreams(): Upstream[] {
    return this.generation.sites.flatMap((site) => [...site.pools.values()].flatMap((pool) => [...pool.upstreams]));
  }

  /** Attempts in flight at all upstreams. */
  get inFlight(): number {
    return this.upstreams.reduce((sum, upstream) => sum + upstream.inFlight, 0);
  }

  /** Waits until no exchange is under way, and no attempt in flight. */
  async idle(timeoutMs = 5000): Promise<void> {
    await until("no exchange is under way", () => this.generation.underWay === 0 && this.inFlight === 0, timeoutMs);
  }

  /** Stops it. Fails when an exchange has not ended: whoever left should have ended it. */
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

/** The config of such a proxy. */
export function configOf({ upstreams, proxy, site, server, metrics = false }: RunningProxyOptions): ConfigInput {
  const members = upstreams.map((upstream) => ({
    name: "app",
    ...(typeof upstream === "string" ? { url: upstream } : upstream),
  }));
  return {
    server: { shutdown_timeout: "300ms", ...server },
    ...(metrics ? { management: { enabled: true } } : {}),
    sites: [{
      listen: "127.0.0.1",
      port: 0,
      internal_api: false,
      ...site,
      proxy: { upstreams: members, routes: [{ path: "/", upstream: "app" }], ...proxy },
    }],
  };
}
