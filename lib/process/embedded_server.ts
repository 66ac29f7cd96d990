/**
 * A server inside another program, with the ports and the log that its config sets.
 *
 * @module
 */

import { resolveConfig, type ResolvedConfig } from "../generation/config/resolve_config.ts";
import type { Config, ConfigInput } from "../generation/config/config_types.ts";
import { unusedSettings } from "./unused_settings.ts";
import { warnOfConfig } from "../generation/config_warnings.ts";
import type { OwnPolicyFactory } from "../generation/pools/pools.ts";
import { openLog } from "./open_log.ts";
import { startServer } from "./server.ts";

/** Options of `startServer`. */
export interface EmbeddedServerOptions {
  /**
   * Balancing policies besides the built-in ones, by the name that `load_balancing.method` uses.
   *
   * @default {{}}
   */
  policies?: Readonly<Record<string, OwnPolicyFactory>>;
  /**
   * Whether a log is written, as `[logging]` sets it.
   *
   * @default {false}
   */
  log?: boolean;
  /**
   * Folder to which relative paths of the config refer. Paths of a config that was resolved before are absolute.
   *
   * @default {Deno.cwd()}
   */
  baseDir?: string;
}

/** A server that runs in this program, in one thread. */
export interface EmbeddedServer {
  /** The addresses on which the server listens, in the order of the config. */
  readonly addresses: readonly Deno.NetAddr[];
  /**
   * Activates another config, in one step: exchanges under way end under the old one, ports whose address is unchanged stay
   * open, upstreams that remain keep their state. On failure nothing has changed.
   *
   * @param config As for `startServer`.
   * @throws {ConfigError} When the config is refused.
   * @throws {Error} When a new port cannot be opened, or a file that the config names cannot be read.
   */
  reload(config: ConfigInput | string | Config): Promise<void>;
  /**
   * Stops the server: closes open WebSockets with 1001 after their `drain` time, stops accepting connections and waits for
   * exchanges under way, at most `shutdown_timeout` in all; the remaining exchanges are cut.
   *
   * @returns The number of exchanges that were cut.
   */
  stop(): Promise<number>;
}

/**
 * Starts a server in this thread: opens all ports of a config, or none, and serves on them. `server.workers`,
 * `server.shutdown_delay` and `[management]` have an effect only in the program `bws`, and `[logging]` only with `log`.
 * Warnings about these and about the rest of the config go to the log, or to the console without `log`.
 *
 * @param config An object of the same shape as the TOML file, the text of such a file, or the `config` that `loadConfig` or
 * `resolveConfig` returned; its warnings were returned with it and are not repeated.
 * @throws {ConfigError} When the config is refused; its message lists all problems.
 * @throws {Error} When a port cannot be opened, or a file that the config names cannot be read.
 *
 * @example
 * ```ts
 * import { startServer } from "@bws/bws";
 *
 * const server = await startServer({
 *   sites: [{
 *     listen: "127.0.0.1",
 *     port: 0,
 *     proxy: {
 *       upstreams: [{ name: "app", url: "http://127.0.0.1:3000" }],
 *       routes: [{ path: "/", upstream: "app" }],
 *     },
 *   }],
 * });
 * const { port } = server.addresses[0];
 * const { status } = await fetch(`http://127.0.0.1:${port}/api/health/live`);
 * if (status !== 200) throw new Error("expected 200");
 * await server.stop();
 * ```
 */
export async function startEmbedded(
  config: ConfigInput | string | Config,
  options: EmbeddedServerOptions = {},
): Promise<EmbeddedServer> {
  const { policies = {}, log: logged = false, baseDir = Deno.cwd() } = options;
  const resolve = (input: ConfigInput | string | Config): ResolvedConfig => {
    if (isResolved(input)) return { config: input, warnings: [] };
    return resolveConfig(input, { baseDir, policies: Object.keys(policies) });
  };
  const first = resolve(config);
  const { logging } = first.config;
  const log = logged ? openLog(logging) : undefined;
  const warn = ({ config, warnings }: ResolvedConfig) =>
    warnOfConfig([...warnings, ...unusedSettings(config, { opensPorts: true, logs: logged })], log);
  const server = await startServer(first.config, { log, policies });
  warn(first);
  return {
    get addresses() {
      return server.addresses;
    },
    reload: async (input) => {
      const next = resolve(input);
      await server.reload(next.config);
      warn(next);
    },
    stop: async () => {
      const cut = await server.stop();
      await log?.end();
      return cut;
    },
  };
}

// Durations are milliseconds in a `Config` and seconds in a `ConfigInput`, so they must not be confused: a resolved config
// is one that has all keys that always have a value.
function isResolved(input: ConfigInput | string | Config): input is Config {
  if (typeof input === "string") return false;
  const { server, logging, management, sites } = input;
  return has(server, SERVER_KEYS) && has(logging, ["level", "format", "output", "access", "syslog"]) &&
    has(management, ["enabled", "metrics", "host", "port"]) && Array.isArray(sites) &&
    sites.every((site) => has(site, SITE_KEYS));
}

function has(table: object | undefined, keys: readonly string[]): boolean {
  return table !== undefined && keys.every((key) => Object.hasOwn(table, key));
}

const SERVER_KEYS = [
  ...[
    "name",
    "trusted_proxies",
    "name_servers",
    "workers",
    "stream_close_delay",
    "sockets",
    "reuse_port",
    "shutdown_delay",
  ],
  "shutdown_timeout",
];
const SITE_KEYS = [
  ...["name", "hostnames", "port", "default", "index_files", "browse", "try_files", "dotfiles", "follow_symlinks"],
  ...["precompressed", "headers", "request_id", "error_pages", "internal_api", "cache"],
];
