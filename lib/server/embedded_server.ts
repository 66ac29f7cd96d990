/**
 * A whole server inside another program: its ports are opened, and its log written, as the config says.
 *
 * @module
 */

import type { Config } from "../config/schema.ts";
import type { OwnPolicyFactory } from "../gateway/pools.ts";
import { Log, openSink } from "../log/log.ts";
import { startServer } from "./server.ts";

/** How a server is started. */
export interface EmbeddedServerOptions {
  /**
   * Balancing policies besides the built-in ones, by the name that `load_balancing.method` uses.
   *
   * @default {{}}
   */
  policies?: Readonly<Record<string, OwnPolicyFactory>>;
  /**
   * Whether the log is written, as `[logging]` says.
   *
   * @default {false}
   */
  log?: boolean;
}

/** A server that runs in this program, in one thread. */
export interface EmbeddedServer {
  /** Where it listens, in the order of the config. */
  readonly addresses: readonly Deno.NetAddr[];
  /**
   * Puts another config in place, in one step: exchanges under way end under the old one, ports whose address stays are
   * not touched, upstreams that stay keep their state. When it fails, nothing has changed.
   *
   * @param config What `loadConfig` or `resolveConfig` has accepted.
   * @throws {Error} When a new port cannot be opened, or a file that the config names cannot be read.
   */
  reload(config: Config): Promise<void>;
  /**
   * Stops: closes open WebSockets with 1001 once they had their `drain` time, accepts no more, lets exchanges under way end,
   * all within `shutdown_timeout`, then cuts the rest.
   *
   * @returns How many exchanges had to be cut.
   */
  stop(): Promise<number>;
}

/**
 * Starts a server: opens all ports of a config, or none.
 *
 * @param config What `loadConfig` or `resolveConfig` has accepted. `server.workers` and `[management]` concern the program
 * `bws` alone.
 * @throws {Error} When a port cannot be opened, or a file that the config names cannot be read.
 *
 * @example
 * ```ts
 * import { resolveConfig, startServer } from "@bws/bws";
 *
 * const { config } = resolveConfig({
 *   sites: [{
 *     listen: "127.0.0.1",
 *     port: 0,
 *     proxy: {
 *       upstreams: [{ name: "app", url: "http://127.0.0.1:3000" }],
 *       routes: [{ path: "/", upstream: "app" }],
 *     },
 *   }],
 * });
 * const server = await startServer(config);
 * const { port } = server.addresses[0];
 * const { status } = await fetch(`http://127.0.0.1:${port}/api/health/live`);
 * if (status !== 200) throw new Error("expected 200");
 * await server.stop();
 * ```
 */
export async function startEmbedded(
  config: Config,
  options: EmbeddedServerOptions = {},
): Promise<EmbeddedServer> {
  const { policies, log: logged = false } = options;
  const log = logged ? new Log(openSink(config.logging.output), config.logging) : undefined;
  const server = await startServer(config, { log, policies });
  return {
    get addresses() {
      return server.addresses;
    },
    reload: (next) => server.reload(next),
    stop: async () => {
      const cut = await server.stop();
      await log?.flush();
      return cut;
    },
  };
}
