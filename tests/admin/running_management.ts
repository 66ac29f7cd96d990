/**
 * A server with its management listener, in one thread or with workers, and upstreams that tell who they are.
 *
 * @module
 */

import { FailureList } from "../../lib/admin/failure_list.ts";
import { type Management, startManagement } from "../../lib/admin/management.ts";
import type { ListedUpstream } from "../../lib/admin/snapshot_maker.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { Reloader } from "../../lib/process/reloader.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";
import { startWorkers } from "../../lib/process/worker_server.ts";

/** An upstream in this process. */
export class NamedUpstream {
  /** How many requests it has begun to answer. */
  asked = 0;
  /** Paths below /wait are answered when this resolves. */
  gate: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param name What it answers with. */
  constructor(readonly name: string) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async ({ url }) => {
      this.asked++;
      const { pathname } = new URL(url);
      if (pathname.startsWith("/wait")) await this.gate.promise;
      return new Response(name, { status: pathname.startsWith("/fail") ? 500 : 200 });
    });
  }

  /** Its `url` for a config. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.gate.resolve();
    await this.#server.shutdown();
  }
}

/** What differs from a server with one site, one pool and no key. */
export interface RunningManagementOptions {
  /** Upstreams of the pool `app`. */
  upstreams: readonly string[];
  /**
   * How many workers; 1 serves in this thread.
   *
   * @default {1}
   */
  workers?: number;
  /** Keys of `[server]`. */
  server?: ConfigInput["server"];
  /** Keys of `[management]`. */
  management?: ConfigInput["management"];
  /** Keys of the site's `[proxy]`. */
  proxy?: ConfigInput["sites"][number]["proxy"];
  /** Keys of `[[sites]]`. */
  site?: Partial<ConfigInput["sites"][number]>;
  /** What a reload reads; without it there is nothing to reload. */
  load?: () => Promise<{ config: ReturnType<typeof resolveConfig>["config"]; warnings: [] }>;
  /** Path that the config is said to come from. */
  file?: string;
}

/** The config of such a server. */
export function managedConfig({ upstreams, workers = 1, server, management, proxy, site }: RunningManagementOptions) {
  return resolveConfig({
    server: { shutdown_timeout: "2s", workers, ...server },
    management: { enabled: true, port: 0, ...management },
    sites: [{
      name: "shop",
      listen: "127.0.0.1",
      port: 0,
      ...site,
      proxy: {
        upstreams: upstreams.map((url) => ({ name: "app", url })),
        routes: [{ path: "/", upstream: "app" }],
        ...proxy,
      },
    }],
  }, { checkFiles: false }).config;
}

/** A server and its management listener. */
export class RunningManagement {
  readonly server: RunningServer;
  readonly management: Management;
  readonly failures: FailureList;

  private constructor(server: RunningServer, management: Management, failures: FailureList) {
    this.server = server;
    this.management = management;
    this.failures = failures;
  }

  /** Starts both. */
  static async start(options: RunningManagementOptions): Promise<RunningManagement> {
    const config = managedConfig(options);
    const { workers = 1, load, file = null } = options;
    const failures = new FailureList();
    const onFailure = failures.add.bind(failures);
    const server = workers === 1
      ? await startServer(config, { onFailure })
      : await startWorkers(config, { workers, onFailure });
    try {
      const reloader = new Reloader({ server, config, file, load, log: undefined });
      const management = await startManagement({
        ...{ settings: config.management, server, config: reloader, failures },
      });
      return new RunningManagement(server, management, failures);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Host and port of the management listener. */
  get host(): string {
    return `127.0.0.1:${this.management.address.port}`;
  }

  /** Asks the management API. */
  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://${this.host}${path}`, init);
  }

  /** Asks it, and gives the JSON that it answers with. */
  // deno-lint-ignore no-explicit-any -- tests look into it
  async told(path: string, init: RequestInit = {}): Promise<any> {
    return await (await this.ask(path, init)).json();
  }

  /** Sends JSON to it. */
  send(method: string, path: string, value?: unknown): Promise<Response> {
    const headers = { "content-type": "application/json" };
    return this.ask(path, { method, headers, body: value === undefined ? undefined : JSON.stringify(value) });
  }

  /** The upstreams that it lists. */
  async upstreams(): Promise<ListedUpstream[]> {
    const { pools } = await this.told("/api/upstreams");
    return pools.flatMap(({ upstreams }: { upstreams: ListedUpstream[] }) => upstreams);
  }

  /** The `id` of the upstream with this `url`. */
  async idOf(url: string): Promise<string> {
    const found = (await this.upstreams()).find((upstream) => upstream.url === url);
    if (found === undefined) throw new Error(`It lists no ${url}`);
    return found.id;
  }

  /** Asks the site. */
  async visit(path = "/"): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.server.addresses[0].port}${path}`);
    return await response.text();
  }

  /** The status that the site answers with, over a connection of its own. */
  async visitStatus(): Promise<number> {
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const response = await fetch(`http://127.0.0.1:${this.server.addresses[0].port}/`, { client });
    await response.body?.cancel();
    return response.status;
  }

  /** Asks the site so many times, each over a connection of its own, and counts the answers. */
  async visits(count: number, path = "/"): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (let visit = 0; visit < count; visit++) {
      // Of its own, so that all workers get some.
      using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
      const response = await fetch(`http://127.0.0.1:${this.server.addresses[0].port}${path}`, { client });
      const name = await response.text();
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  /** Stops both. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.management.stop();
    await this.server.stop();
  }
}
